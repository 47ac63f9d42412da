#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "connectors/files/file_reader.h"
#include "formats/csv.h"
#include "formats/xlsx_reader.h"

namespace huiliu::connectors::files {

using runtime::Result;
using runtime::Status;

namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status io_error(const std::string& path) {
  return Status::unavailable(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
}

class TextFile final : public OpenFile {
 public:
  TextFile(std::string path, FileFormat format, const FileSourceOptions& options,
           const Mapping& mapping)
      : path_(std::move(path)), file_(path_), options_(options), mapping_(mapping) {
    info_->format = format;
    info_->mapping = &mapping;
  }

  Status start() {
    if (file_.get() < 0) return io_error(path_);
    std::string head(256 << 10, '\0');
    const ssize_t got = ::pread(file_.get(), head.data(), head.size(), 0);
    if (got < 0) return io_error(path_);
    head.resize(static_cast<std::size_t>(got));
    info_->encoding = formats::detect_encoding(head);
    if (options_.encoding == "utf-8") info_->encoding = formats::Encoding::kUtf8;
    if (options_.encoding == "gb18030") info_->encoding = formats::Encoding::kGb18030;
    if (info_->encoding == formats::Encoding::kBinary) {
      return Status::invalid("'" + path_ + "' is not a text file");
    }
    if (head.starts_with("\xEF\xBB\xBF")) position_ = 3;
    return info_->format == FileFormat::kCsv ? read_heading(head) : Status::ok();
  }

  Result<Piece> next(std::string& bytes, std::size_t size) override {
    // A row longer than the slice makes the slice grow, up to twice the bound, then it is cut.
    for (std::size_t want = size;; want *= 2) {
      bytes.resize(want + kPadding);
      const Result<std::size_t> got = read_at(bytes.data(), want);
      if (!got.is_ok()) return got.status();
      const bool whole = got.value() < want;
      if (got.value() == 0) {
        bytes.clear();
        return Piece{true, 0};
      }
      bytes.resize(got.value());
      const std::size_t cut = whole ? bytes.size() : last_row_end(bytes);
      if (cut == 0 && want < 64 * options_.max_row_bytes) continue;
      bytes.resize(cut == 0 ? bytes.size() : cut);
      bytes.reserve(bytes.size() + kPadding);
      position_ += bytes.size();
      return Piece{false, count_rows(bytes)};
    }
  }

  Status skip(std::uint64_t bytes, std::uint64_t) override {
    if (bytes > 0) position_ = bytes;
    return Status::ok();
  }
  std::uint64_t position() const override { return position_; }
  std::shared_ptr<const FileInfo> info() const override { return info_; }

 private:
  static constexpr std::size_t kPadding = 64;

  Result<std::size_t> read_at(char* to, std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got =
          ::pread(file_.get(), to + done, size - done, static_cast<off_t>(position_ + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io_error(path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  std::size_t last_row_end(const std::string& bytes) const {
    if (info_->format == FileFormat::kNdjson) {
      const void* newline = ::memrchr(bytes.data(), '\n', bytes.size());
      return newline == nullptr
                 ? 0
                 : static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data()) + 1;
    }
    std::size_t end = 0;
    for (std::size_t next = 0; (next = formats::csv_row_end(
                                    bytes, end, {options_.delimiter, '"'})) != std::string::npos;) {
      end = next;
    }
    return end;
  }

  std::uint64_t count_rows(const std::string& bytes) const {
    std::uint64_t rows = 0;
    if (info_->format == FileFormat::kNdjson) {
      const char* at = bytes.data();
      const char* end = at + bytes.size();
      while (at < end) {
        ++rows;
        const void* newline = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
        at = newline == nullptr ? end : static_cast<const char*>(newline) + 1;
      }
      return rows;
    }
    for (std::size_t at = 0; at < bytes.size(); ++rows) {
      at = formats::csv_row_end(bytes, at, {options_.delimiter, '"'});
      if (at == std::string::npos) at = bytes.size();
    }
    return rows;
  }

  Status read_heading(const std::string& head) {
    const std::size_t from = static_cast<std::size_t>(position_);
    std::size_t end = formats::csv_row_end(head, from, {options_.delimiter, '"'});
    if (end == std::string::npos) end = head.size();
    std::string line = head.substr(from, end - from);
    if (info_->encoding == formats::Encoding::kGb18030) {
      std::string converted;
      formats::Gb18030Converter converter;
      if (!converter.append_utf8(line, converted).ok()) {
        return Status::invalid("the heading of '" + path_ + "' is not GB18030");
      }
      line = converted;
    }
    formats::CsvRowParser parser(4096, {options_.delimiter, '"'});
    if (parser.parse(line) != formats::CsvError::kNone) {
      return Status::invalid("the heading of '" + path_ + "' is not CSV");
    }
    const std::vector<std::string> heading(parser.cells().begin(), parser.cells().end());
    info_->columns = map_columns(heading, mapping_, path_);
    position_ = end;
    return Status::ok();
  }

  std::string path_;
  Descriptor file_;
  const FileSourceOptions& options_;
  const Mapping& mapping_;
  std::shared_ptr<FileInfo> info_ = std::make_shared<FileInfo>();
  std::uint64_t position_ = 0;
};

class Sheet final : public OpenFile {
 public:
  Sheet(std::string path, const FileSourceOptions& options, const Mapping& mapping)
      : path_(std::move(path)), options_(options), mapping_(mapping) {
    info_->format = FileFormat::kXlsx;
    info_->mapping = &mapping;
  }

  Status start() {
    if (auto outcome = reader_.open(path_); !outcome.ok()) return failed(outcome);
    const auto outcome = options_.sheet.empty() ? reader_.select_sheet(std::size_t{0})
                                                : reader_.select_sheet(options_.sheet);
    if (!outcome.ok()) return failed(outcome);
    formats::XlsxRow row;
    constexpr int kHeadingWithin = 20;  // titles may stand above the heading
    for (int i = 0; i < kHeadingWithin && reader_.next_row(row); ++i) {
      std::vector<std::string> heading;
      std::size_t known = 0;
      for (const formats::XlsxCell& cell : row.cells) {
        while (heading.size() < cell.column) heading.emplace_back();
        heading.emplace_back(cell.text);
      }
      for (const std::string& name : heading) {
        for (const auto& [column, field] : mapping_.columns) known += column == name ? 1 : 0;
      }
      if (known >= 2) {
        info_->columns = map_columns(heading, mapping_, path_);
        return Status::ok();
      }
    }
    return Status::invalid("'" + path_ + "' has no row with known headings among its first 20");
  }

  Result<Piece> next(std::string& bytes, std::size_t size) override {
    bytes.clear();
    Piece piece;
    formats::XlsxRow row;
    while (bytes.size() < size) {
      if (!reader_.next_row(row)) {
        if (!reader_.outcome().ok()) return failed(reader_.outcome());
        break;
      }
      append(row, bytes);
      ++piece.rows;
      ++position_;
    }
    piece.end = piece.rows == 0;
    return piece;
  }

  Status skip(std::uint64_t, std::uint64_t rows) override {
    position_ = rows;
    const auto outcome = reader_.skip_rows(rows);
    return outcome.ok() ? Status::ok() : failed(outcome);
  }
  std::uint64_t position() const override { return position_; }
  std::shared_ptr<const FileInfo> info() const override { return info_; }

 private:
  static Status failed(const formats::Outcome& outcome) {
    return outcome.code == formats::OutcomeCode::kIo ? Status::unavailable(outcome.message)
                                                     : Status::invalid(outcome.message);
  }

  void append(const formats::XlsxRow& row, std::string& bytes) {
    cells_.assign(info_->columns.size(), {});
    for (const formats::XlsxCell& cell : row.cells) {
      if (cell.column >= cells_.size()) continue;
      if (cell.kind == formats::CellKind::kNumber) cells_[cell.column] += kNumberMark;
      cells_[cell.column] += cell.text;
    }
    writer_.append_row(cells_, bytes);
  }

  std::string path_;
  const FileSourceOptions& options_;
  const Mapping& mapping_;
  formats::XlsxReader reader_;
  formats::CsvWriter writer_;
  std::vector<std::string> cells_;
  std::shared_ptr<FileInfo> info_ = std::make_shared<FileInfo>();
  std::uint64_t position_ = 0;
};

template <class File>
Result<std::unique_ptr<OpenFile>> started(std::unique_ptr<File> file) {
  if (Status status = file->start(); !status.is_ok()) return status;
  return std::unique_ptr<OpenFile>(std::move(file));
}

}  // namespace

Result<std::unique_ptr<OpenFile>> open_text_file(const std::string& path, FileFormat format,
                                                 const FileSourceOptions& options,
                                                 const Mapping& mapping) {
  return started(std::make_unique<TextFile>(path, format, options, mapping));
}

Result<std::unique_ptr<OpenFile>> open_sheet(const std::string& path,
                                             const FileSourceOptions& options,
                                             const Mapping& mapping) {
  return started(std::make_unique<Sheet>(path, options, mapping));
}

std::vector<int> map_columns(const std::vector<std::string>& heading, const Mapping& mapping,
                             const std::string& path) {
  std::vector<int> columns;
  std::string unknown;
  for (const std::string& name : heading) {
    int field = -1;
    for (const auto& [column, index] : mapping.columns) {
      if (column == name) field = static_cast<int>(index);
    }
    if (field < 0 && !name.empty()) unknown += (unknown.empty() ? "" : ", ") + name;
    columns.push_back(field);
  }
  if (!unknown.empty()) spdlog::warn("{}: columns that no field takes: {}", path, unknown);
  return columns;
}

std::string content_hash(const std::string& path) {
  const Descriptor file(path);
  if (file.get() < 0) return {};
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  std::string block(1 << 20, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    if (got == 0) break;
    XXH3_128bits_update(&state, block.data(), static_cast<std::size_t>(got));
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace huiliu::connectors::files
