#include "codecs/files/file_cursor.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "codecs/files/foreign_content.h"
#include "formats/csv.h"
#include "formats/xlsx_reader.h"

namespace huiliu::codecs {

using runtime::Slice;

namespace {

constexpr std::size_t kHead = 64 << 10;

/// UTF-16, and CSV whose lines end with CR alone, are rare: they are converted before reading.
bool needs_rewriting(std::string_view head, FileFormat format) {
  if (formats::utf16_mark(head) != '\0') return true;
  return format == FileFormat::kCsv && head.find('\n') == std::string_view::npos &&
         head.find('\r') != std::string_view::npos;
}

FileFormat format_by_name(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  // Rotation puts numbers or days behind: a.csv.1, a.csv.20240530.
  while (name.extension().string().find_first_not_of("0123456789", 1) == std::string::npos &&
         name.extension().string().size() > 1) {
    name = name.stem();
  }
  std::string extension = name.extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (extension == ".csv" || extension == ".tsv" || extension == ".txt") return FileFormat::kCsv;
  if (extension == ".xlsx" || extension == ".xls") return FileFormat::kXlsx;
  return FileFormat::kNdjson;
}

}  // namespace

FileFormat format_of(const FileOptions& options, const std::string& path) {
  return options.format == FileFormat::kAuto ? format_by_name(path) : options.format;
}

FileCursor::FileCursor(const FileOptions& options, Place place, FilePosition position)
    : options_(options), place_(std::move(place)), position_(std::move(position)) {
  text_size_ = position_.size;
  format_ = format_of(options, place_.path);
  layout_ = make_layout(options, place_.name);
}

FileCursor::~FileCursor() {
  if (place_.fd >= 0) ::close(place_.fd);
}

bool FileCursor::open() {
  // What Office puts beside a workbook while someone has it open.
  if (std::filesystem::path(place_.path).filename().string().starts_with("~$")) {
    spdlog::info("{}: lock file of an office program, left out", place_.name);
    finish();
    return true;
  }
  if (position_.size == 0) {
    if (!options_.quiet) spdlog::warn("{}: the file is empty", place_.name);
    finish();
    return true;
  }
  std::string head;
  if (!read_head(head)) return true;
  if (options_.format == FileFormat::kAuto && is_workbook(head)) format_ = FileFormat::kXlsx;
  if (options_.format == FileFormat::kAuto && !is_workbook(head)) {
    form_ = row_form_of(head, format_);
  }
  if (options_.append && cannot_grow(head)) return true;
  if (form_ != RowForm::kNone) format_ = FileFormat::kNdjson;
  const auto foreign = form_ == RowForm::kNone ? foreign_content(head, format_) : std::nullopt;
  if (format_ == FileFormat::kXlsx) {
    const auto digest = hash_prefix(place_.fd, position_.size, hash_);
    if (!digest) return false;
    if (!position_.digest.empty() && position_.digest != *digest) return false;
    position_.digest = *digest;
    if (foreign) {
      problem(*foreign);
    } else {
      start_table(head);
    }
    return true;
  }
  if (foreign) {
    problem(*foreign);
    return true;
  }
  if (form_ != RowForm::kNone) {
    if (!rewrite_rows(head, form_) || !read_head(head)) return true;
  } else if (needs_rewriting(head, format_) && (!rewrite_text(head) || !read_head(head))) {
    return true;
  }
  if (position_.offset > 0) {
    // A file that was read to its end is known by its own bytes.
    const auto digest = hash_prefix(place_.fd, position_.offset, hash_);
    const bool whole = !whole_digest_.empty() && position_.digest == whole_digest_;
    const bool checked = position_.digest.empty();
    if (!digest || (!whole && !checked && *digest != position_.digest)) return false;
    if (!whole) pass_rest_of_row();
  }
  read_to_ = position_.offset;
  start_text(head);
  return true;
}

/// Whether the file is of a kind that cannot be read while it is appended to.
bool FileCursor::cannot_grow(std::string_view head) {
  if (format_ == FileFormat::kXlsx || form_ != RowForm::kNone) {
    problem(
        "a workbook, XML or a JSON array cannot be appended to; give it a source without "
        "`append`",
        "工作簿、XML 或 JSON 数组不能边写边读，请用不带 append 的数据源读取");
  } else if (needs_rewriting(head, format_)) {
    problem("UTF-16 text, or lines that end with CR, cannot be followed while it grows",
            "UTF-16 编码或仅以 CR 换行的文件不能边写边读");
  }
  return !problem_.empty();
}

void FileCursor::problem(const std::string& text, const std::string& zh) {
  if (!options_.quiet) spdlog::error("{}: {}", place_.name, text);
  problem_ = problem_bytes("E805_BAD_FILE", {text, zh});
}

bool FileCursor::take_problem(Slice& slice) {
  slice.format = static_cast<std::uint32_t>(SliceFormat::kProblem);
  slice.bytes = problem_;
  slice.first_offset = ++position_.rows;
  problem_.clear();
  finish();
  return true;
}

void FileCursor::finish() { position_.done = true; }

bool FileCursor::read_head(std::string& head) {
  head.assign(kHead, '\0');
  const ssize_t got = ::pread(place_.fd, head.data(), head.size(), 0);
  if (got < 0) problem(fmt::format("cannot be read: {}", std::strerror(errno)));
  head.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got >= 0;
}

bool FileCursor::read(Slice& slice, std::size_t slice_bytes) {
  if (position_.done) return false;
  slice.detail = layout_;
  if (!problem_.empty()) {
    if (!whole_digest_.empty()) position_.digest = whole_digest_;
    return take_problem(slice);
  }
  const bool got =
      format_ == FileFormat::kXlsx ? read_table(slice, slice_bytes) : read_text(slice, slice_bytes);
  if (format_ != FileFormat::kXlsx) {
    position_.digest = position_.done && !whole_digest_.empty() ? whole_digest_ : hash_.digest();
  }
  return got;
}

}  // namespace huiliu::codecs
