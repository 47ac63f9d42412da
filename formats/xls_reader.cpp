#include "formats/xls_reader.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/ole_file.h"
#include "formats/xls_sheet.h"

namespace huiliu::formats {
namespace {

Outcome unreadable(int error) {
  return Outcome::failure(OutcomeCode::kIo,
                          std::string("the workbook cannot be read: ") + std::strerror(error),
                          "工作簿无法读取");
}

Outcome load(int fd, std::uint64_t bound, std::string& bytes) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return unreadable(errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > bound) {
    return Outcome::failure(
        OutcomeCode::kLimit,
        "the workbook is larger than " + std::to_string(bound >> 20) +
            " MiB, more than an .xls of this many rows can be; save it as .xlsx or CSV",
        "工作簿超过" + std::to_string(bound >> 20) + " MiB，请另存为.xlsx或CSV后重新报送");
  }
  bytes.resize(static_cast<std::size_t>(size));
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = ::pread(fd, bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return {};
}

}  // namespace

struct XlsReader::Impl {
  explicit Impl(XlsLimits bounds) : limits(bounds), workbook(limits) {}

  XlsLimits limits;
  std::string stream;
  XlsWorkbook workbook;
  std::optional<XlsSheet> sheet;  // borrows the two above
  Outcome outcome;

  Outcome open(std::string_view file) {
    sheet.reset();
    workbook = XlsWorkbook(limits);
    OleFile ole;
    Outcome opened = ole.open(file);
    if (!opened.ok()) return opened;
    if (!ole.has("Workbook")) return no_workbook(ole);
    opened = ole.read("Workbook", stream);
    if (opened.ok()) opened = load_xls_workbook(stream, limits, workbook);
    if (!opened.ok()) workbook.sheets.clear();
    return opened;
  }

  static Outcome no_workbook(const OleFile& ole) {
    if (ole.has("EncryptedPackage")) {
      return Outcome::failure(
          OutcomeCode::kUnsupported,
          "the workbook is protected by a password; remove it and send the file again",
          "工作簿设有打开密码，请去除密码后重新报送");
    }
    if (ole.has("Book")) {
      return Outcome::failure(
          OutcomeCode::kUnsupported,
          "a workbook of Excel 95 or before; save it as .xlsx and send it again",
          "工作簿为Excel 95或更早的格式，请另存为.xlsx后重新报送");
    }
    return Outcome::failure(OutcomeCode::kUnsupported,
                            "a file of an office program, but no workbook",
                            "文件不是工作簿，请用模板填写后重新报送");
  }
};

XlsReader::XlsReader(XlsLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
XlsReader::~XlsReader() = default;

Outcome XlsReader::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return impl_->outcome = unreadable(errno);
  std::string bytes;
  impl_->outcome = load(fd, impl_->limits.max_file_bytes, bytes);
  ::close(fd);
  if (impl_->outcome.ok()) impl_->outcome = impl_->open(bytes);
  return impl_->outcome;
}

Outcome XlsReader::open_bytes(std::string_view file) { return impl_->outcome = impl_->open(file); }

const std::vector<XlsxSheet>& XlsReader::sheets() const { return impl_->workbook.sheets; }

Outcome XlsReader::select_sheet(std::size_t index) {
  impl_->sheet.reset();
  if (index >= sheets().size()) {
    return impl_->outcome =
               Outcome::failure(OutcomeCode::kNotFound, "no sheet " + std::to_string(index + 1));
  }
  if (sheets()[index].part.empty()) {
    return impl_->outcome =
               Outcome::failure(OutcomeCode::kUnsupported, sheets()[index].name + ": no worksheet");
  }
  impl_->sheet.emplace(impl_->stream, impl_->workbook);
  return impl_->outcome = impl_->sheet->open(impl_->workbook.offsets[index]);
}

bool XlsReader::next_row(XlsxRow& row) {
  row.cells.clear();
  if (!impl_->outcome.ok()) return false;
  if (!impl_->sheet.has_value()) {
    impl_->outcome = Outcome::failure(OutcomeCode::kInvalid, "no sheet selected");
    return false;
  }
  return impl_->sheet->next_row(row, impl_->outcome);
}

Outcome XlsReader::skip_rows(std::uint64_t count) {
  if (impl_->sheet.has_value()) impl_->sheet->skip_rows(count);
  return impl_->outcome;
}

const std::vector<XlsxMerge>& XlsReader::merges() const {
  static const std::vector<XlsxMerge> kNone;
  return impl_->sheet.has_value() ? impl_->sheet->merges() : kNone;
}

const Outcome& XlsReader::outcome() const { return impl_->outcome; }

}  // namespace huiliu::formats
