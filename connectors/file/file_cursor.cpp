#include "connectors/file/file_cursor.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <emmintrin.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/file_decoder.h"
#include "connectors/file/foreign_content.h"
#include "connectors/file/text_copy.h"
#include "formats/csv.h"
#include "formats/xls_reader.h"
#include "formats/xlsx_reader.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors {

using runtime::Slice;

namespace {

constexpr std::size_t kHead = 64 << 10;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::size_t kTextPerNul = 16;  // with more NUL bytes than one in so many it is no text

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

/// By its content: names lie.
std::unique_ptr<formats::WorkbookReader> open_workbook(std::string_view head) {
  if (is_old_workbook(head)) return std::make_unique<formats::XlsReader>();
  return std::make_unique<formats::XlsxReader>();
}

std::uint64_t count_lines(std::string_view bytes) {
  const __m128i newline = _mm_set1_epi8('\n');
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  std::uint64_t lines = 0;
  while (end - at >= 16) {
    __m128i sums = _mm_setzero_si128();
    for (int i = 0; i < 255 && end - at >= 16; ++i, at += 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      sums = _mm_sub_epi8(sums, _mm_cmpeq_epi8(block, newline));
    }
    const __m128i halves = _mm_sad_epu8(sums, _mm_setzero_si128());
    lines += static_cast<std::uint64_t>(_mm_cvtsi128_si64(halves)) +
             static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_srli_si128(halves, 8)));
  }
  for (; at < end; ++at) lines += *at == '\n' ? 1u : 0u;
  return lines;
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

/// Slices end at line ends, but for the last row of a file that had none. What was written behind
/// it since then is its line end, or the rest of a row that was not whole.
void FileCursor::pass_rest_of_row() {
  constexpr std::size_t kShown = 1024;
  char before = '\n';
  if (::pread(place_.fd, &before, 1, static_cast<off_t>(position_.offset - 1)) != 1 ||
      before == '\n') {
    return;
  }
  std::string rest, block(4096, '\0');
  bool ended = false;
  while (!ended && position_.offset < text_size_) {
    const ssize_t got =
        ::pread(place_.fd, block.data(), block.size(), static_cast<off_t>(position_.offset));
    if (got <= 0) break;
    const std::string_view read(block.data(), static_cast<std::size_t>(got));
    const std::size_t end = read.find('\n');
    ended = end != std::string_view::npos;
    const std::string_view line = ended ? read.substr(0, end + 1) : read;
    hash_.add(line);
    position_.offset += line.size();
    rest.append(line.substr(0, kShown - std::min(kShown, rest.size())));
  }
  in_long_row_ = options_.append && !ended;
  while (rest.ends_with('\n') || rest.ends_with('\r')) rest.pop_back();
  position_.digest = hash_.digest();
  if (!rest.empty()) half_row_ = formats::is_valid_utf8(rest) ? rest : "…";
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

void FileCursor::start_text(std::string_view head) {
  // Programs that join files leave a mark in front of each part; the first may have two.
  std::size_t mark = 0;
  while (head.substr(mark).starts_with(kUtf8Mark)) mark += kUtf8Mark.size();
  // A NUL here and there spoils its row only; without any, so does a row of bytes that are no text.
  std::string text(head.substr(mark));
  const std::size_t nuls = std::erase(text, '\0');
  const formats::Encoding found = formats::detect_encoding(text);
  if (nuls * kTextPerNul > head.size() || (nuls > 0 && found == formats::Encoding::kBinary)) {
    return problem("the file is binary, not text in the declared format",
                   "文件是二进制内容，不是所声明格式的文本");
  }
  layout_->mixed = !options_.encoding.has_value();
  layout_->encoding =
      mark > 0 || is_utf8_ ? formats::Encoding::kUtf8Bom : options_.encoding.value_or(found);
  if (format_ == FileFormat::kCsv) return read_csv_header(head, mark);
  if (position_.offset == 0 && mark > 0) {
    hash_.add(head.substr(0, mark));
    position_.offset = read_to_ = mark;
  }
}

/// Puts a copy as UTF-8 with LF in the file's place: positions and rows are those of the copy,
/// which is the same whenever it is made.
bool FileCursor::rewrite_text(std::string_view head) {
  // Whether a file was read already is asked of its own bytes.
  ContentHash whole;
  whole_digest_ = hash_prefix(place_.fd, position_.size, whole).value_or("");
  is_utf8_ = formats::utf16_mark(head) != '\0';
  return use_copy(copy_as_plain_text(place_.fd, formats::utf16_mark(head)));
}

bool FileCursor::rewrite_rows(std::string_view head, RowForm form) {
  ContentHash whole;
  whole_digest_ = hash_prefix(place_.fd, position_.size, whole).value_or("");
  is_utf8_ = true;
  RowCopy made = copy_rows(place_.fd, form, head, options_, *layout_);
  if (!use_copy(made.copy)) return false;
  if (!made.any_rows) {
    problem(made.problem.value_or(foreign_xml(head)));
  } else if (!made.names.empty() && layout_->known(made.names) == 0) {
    problem(no_headings(made.names));
  } else if (!made.names.empty()) {
    if (const auto missing = layout_->missing_columns(made.names, options_)) problem(*missing);
  }
  rest_ = std::move(made.problem);
  return problem_.empty();
}

bool FileCursor::use_copy(const TextCopy& copy) {
  if (copy.fd < 0) {
    problem(fmt::format("cannot be converted to UTF-8: {}", std::strerror(copy.error)));
    return false;
  }
  ::close(place_.fd);
  place_.fd = copy.fd;
  text_size_ = copy.size;
  return true;
}

std::uint64_t FileCursor::line_of(std::uint64_t row) {
  if (form_ == RowForm::kNone) return row;
  // The cursor itself has the copy.
  const int fd = ::open(place_.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  std::string head(kHead, '\0');
  head.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(fd, head.data(), kHead, 0), 0)));
  const std::uint64_t line = line_of_row(fd, form_, head, options_, *layout_, row);
  ::close(fd);
  return line;
}

void FileCursor::read_csv_header(std::string_view head, std::size_t skip) {
  std::optional<FirstRow> first;
  if (find_csv_header(head, skip, first)) return;
  for (const char sign : kDelimiters) {
    if (options_.delimiter_set || sign == options_.delimiter) continue;
    layout_->delimiter = sign;
    std::optional<FirstRow> ignored;
    if (!find_csv_header(head, skip, ignored)) continue;
    const std::string name = sign == '\t' ? "tabs" : fmt::format("'{}'", sign);
    return spdlog::info("{}: its cells are separated by {}", place_.name, name);
  }
  layout_->delimiter = options_.delimiter;
  if (first) {
    const auto other = other_delimiter(first->line, options_.delimiter, *layout_);
    return problem(other ? *other : no_headings(first->cells));
  }
  if (head.find_first_not_of(" \t\r\n\x1A", skip) != std::string_view::npos) {
    problem("no row of the file's beginning can be read as headings", "文件开头没有可读的表头");
  }
}

/// Goes behind the headings, or says what is wrong with them; false if no row has known ones.
bool FileCursor::find_csv_header(std::string_view head, std::size_t skip,
                                 std::optional<FirstRow>& first) {
  const formats::CsvDialect dialect{layout_->delimiter, '"'};
  formats::CsvRowParser parser(4096, dialect);
  formats::Gb18030Converter gb;
  constexpr int kRowsToTry = 50;
  std::size_t at = skip;
  for (int tried = 0; tried < kRowsToTry && at < head.size();) {
    const std::size_t end = std::min(formats::csv_row_end(head, at, dialect), head.size());
    const std::string_view raw = head.substr(at, end - at);
    at = end;
    std::string converted(raw);
    if (layout_->encoding == formats::Encoding::kGb18030 || !formats::is_valid_utf8(raw)) {
      converted.clear();
      if (!gb.append_utf8(raw, converted).ok()) continue;
    }
    if (parser.parse(converted) != formats::CsvError::kNone || parser.is_blank()) continue;
    std::vector<std::string> headings(parser.cells().begin(), parser.cells().end());
    const auto filled = static_cast<std::size_t>(std::count_if(
        headings.begin(), headings.end(), [](const auto& cell) { return !cell.empty(); }));
    if (filled == 0) continue;
    ++tried;
    // A title or an explanation may hold one word that is a heading too.
    const std::size_t enough = std::min<std::size_t>(2, options_.fields.size());
    const std::size_t known = layout_->known(headings);
    if (!first) first = FirstRow{converted, headings};
    if (known < (tried == 1 ? std::min(enough, filled) : enough) || known == 0) continue;
    if (const auto wrong = layout_->map_headings(std::move(headings), options_)) {
      problem(*wrong);
      return true;
    }
    if (tried > 1 && !options_.quiet)
      spdlog::warn("{}: {} rows above the headings are left out", place_.name, tried - 1);
    if (position_.offset == 0) {
      hash_.add(head.substr(0, at));
      position_.offset = read_to_ = at;
    }
    return true;
  }
  return false;
}

bool FileCursor::fill(std::string& bytes, std::size_t wanted) {
  const std::size_t have = carry_.size();
  const std::uint64_t left = text_size_ - std::min(read_to_, text_size_);
  const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left));
  bytes.reserve(have + more + 64);
  bytes.resize(have + more);
  std::memcpy(bytes.data(), carry_.data(), have);
  std::size_t got = 0;
  while (got < more) {
    const ssize_t n = ::pread(place_.fd, bytes.data() + have + got, more - got,
                              static_cast<off_t>(read_to_ + got));
    if (n < 0 && errno == EINTR) continue;
    // What is appended to may be emptied at any time.
    if (n == 0 && options_.append) {
      text_size_ = read_to_ + got;
      break;
    }
    if (n <= 0) {
      problem(n < 0 ? fmt::format("cannot be read: {}", std::strerror(errno))
                    : std::string("the file became shorter while it was read"));
      break;
    }
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(have + got);
  read_to_ += got;
  return problem_.empty();
}

FileCursor::Cut FileCursor::cut(std::string_view bytes, bool at_end) const {
  Cut result;
  if (format_ == FileFormat::kCsv) {
    const formats::CsvSplit split = formats::split_csv(
        bytes, options_.max_row_bytes, at_end, formats::CsvDialect{layout_->delimiter, '"'});
    result = {split.complete_bytes, split.complete_rows, false, false};
    if (split.error != formats::CsvError::kNone) {
      result.damaged = split.complete_bytes == 0;
      result.open_quote = split.error == formats::CsvError::kUnterminatedQuote;
    } else if (at_end && split.complete_bytes < bytes.size()) {
      result = {bytes.size(), split.complete_rows + 1, false, false};
    }
    return result;
  }
  const auto* last = static_cast<const char*>(::memrchr(bytes.data(), '\n', bytes.size()));
  result.bytes = at_end            ? bytes.size()
                 : last == nullptr ? 0
                                   : static_cast<std::size_t>(last - bytes.data()) + 1;
  result.rows = count_lines(bytes.substr(0, result.bytes));
  if (at_end && !bytes.empty() && bytes.back() != '\n') ++result.rows;
  result.damaged = result.bytes == 0 && bytes.size() > options_.max_row_bytes;
  return result;
}

/// The row at the start of carry_ is too long or has an open quote: shows its beginning, passes
/// over the rest of its line.
bool FileCursor::damaged_row(Slice& slice, bool open_quote) {
  constexpr std::size_t kShown = 1024;
  slice.format =
      static_cast<std::uint32_t>(open_quote ? SliceFormat::kOpenQuote : SliceFormat::kTooLong);
  slice.bytes.assign(carry_, 0, std::min({kShown, carry_.size(), carry_.find('\n')}));
  slice.first_offset = ++position_.rows;
  for (;;) {
    const std::size_t end = carry_.find('\n');
    const std::size_t taken = end == std::string::npos ? carry_.size() : end + 1;
    hash_.add(std::string_view(carry_).substr(0, taken));
    position_.offset += taken;
    carry_.erase(0, taken);
    in_long_row_ = options_.append && end == std::string::npos && read_to_ >= text_size_;
    if (end != std::string::npos || read_to_ >= text_size_) break;
    std::string more;
    if (!fill(more, 1 << 20)) break;
    carry_ = std::move(more);
  }
  return true;
}

/// Goes behind the line end of a row that was refused before it was whole; false if it has none.
bool FileCursor::pass_long_row() {
  std::string bytes;
  while (fill(bytes, 1 << 20) && !bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    hash_.add(std::string_view(bytes).substr(0, end));
    position_.offset += end;
    in_long_row_ = bytes[end - 1] != '\n';
    carry_ = bytes.substr(end);
    if (!in_long_row_) return true;
  }
  return false;
}

bool FileCursor::read_text(Slice& slice, std::size_t slice_bytes) {
  std::string& bytes = slice.bytes;
  if (in_long_row_ && !pass_long_row()) return problem_.empty() ? false : take_problem(slice);
  for (std::size_t wanted = slice_bytes;; wanted *= 2) {
    const std::size_t before = carry_.size();
    if (!fill(bytes, wanted)) return take_problem(slice);
    carry_.clear();
    const bool at_end = read_to_ >= text_size_;
    // What is appended to may go on within the line.
    const bool whole = !options_.append || runtime::mutant("append.half_line");
    const Cut found = cut(bytes, at_end && whole);
    if (found.damaged) {
      carry_ = bytes;
      return damaged_row(slice, found.open_quote);
    }
    if (found.bytes == 0 && (!at_end || options_.append)) {
      carry_ = bytes;
      if (at_end) return false;
      continue;
    }
    carry_.assign(bytes, found.bytes, std::string::npos);
    bytes.resize(found.bytes);
    if (bytes.empty() && before == 0) return text_ends() ? false : take_problem(slice);
    hash_.add(bytes);
    position_.offset += bytes.size();
    slice.first_offset = position_.rows + 1;
    position_.rows += found.rows;
    slice.format = static_cast<std::uint32_t>(format_ == FileFormat::kCsv ? SliceFormat::kCsv
                                                                          : SliceFormat::kNdjson);
    if (at_end && carry_.empty() && !options_.append) text_ends();
    return true;
  }
}

/// False when the file goes on, but in a way that cannot be read: the next slice says so.
bool FileCursor::text_ends() {
  if (!rest_) {
    finish();
    return true;
  }
  problem(rest_->en + "; the rows before it are read; mend it and send the file again",
          rest_->zh + "；之前的行已读取，请修改后重新报送");
  return false;
}

void FileCursor::start_table(std::string_view head) {
  workbook_ = open_workbook(head);
  if (!workbook_->open(place_.path).ok()) return problem(workbook_->outcome());
  if (!list_sheets() || !open_sheet(0)) return;
  skip_to_position();
}

/// Finds the sheets that are read and says what is left out.
bool FileCursor::list_sheets() {
  const auto& all = workbook_->sheets();
  std::vector<std::string> hidden, others;
  formats::Outcome last;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool named = !options_.sheet.empty();
    if (named ? all[i].name != options_.sheet : all[i].part.empty()) continue;
    if (!named && !all[i].visible) {
      hidden.push_back(all[i].name);
      continue;
    }
    if (auto sheet = find_headings(i)) {
      sheets_.push_back(std::move(*sheet));
    } else {
      others.push_back(all[i].name);
    }
    if (!problem_.empty()) return false;
    if (!workbook_->outcome().ok()) last = workbook_->outcome();
  }
  if (!last.ok()) {
    problem(last);
  } else if (sheets_.empty() && !options_.sheet.empty() && others.empty()) {
    problem("no sheet named " + options_.sheet, "没有名为" + options_.sheet + "的工作表");
  } else if (sheets_.empty()) {
    problem(fmt::format("no row of a visible sheet has known column headings (sheets: {}; hidden: "
                        "{}); put the headings of the template above the data",
                        fmt::join(others, ", "), fmt::join(hidden, ", ")),
            fmt::format("可见的工作表中没有已知的表头（工作表：{}；隐藏：{}），请使用模板的表头",
                        fmt::join(others, "、"), fmt::join(hidden, "、")));
  }
  if (sheets_.empty() || !last.ok()) return false;
  if (options_.quiet) return true;
  if (!hidden.empty()) {
    spdlog::warn("{}: hidden sheets are not read: {}", place_.name, fmt::join(hidden, ", "));
  }
  if (!others.empty()) {
    spdlog::warn("{}: sheets without known headings are not read: {}", place_.name,
                 fmt::join(others, ", "));
  }
  return true;
}

bool FileCursor::open_sheet(std::size_t at) {
  sheet_at_ = at;
  layout_ = sheets_[at].layout;
  sheets_[at].base = at == 0 ? 0 : position_.rows;
  if (workbook_->select_sheet(sheets_[at].index).ok() &&
      workbook_->skip_rows(sheets_[at].rows_before).ok()) {
    return true;
  }
  problem(workbook_->outcome());
  return false;
}

/// Rows of a sheet alone are passed over unread; of several, only reading tells where one ends.
void FileCursor::skip_to_position() {
  const std::uint64_t wanted = position_.offset;
  if (sheets_.size() == 1) {
    if (wanted > 0 && !workbook_->skip_rows(wanted).ok()) problem(workbook_->outcome());
    return;
  }
  position_.rows = 0;
  formats::XlsxRow row;
  for (std::uint64_t passed = 0; passed < wanted;) {
    if (workbook_->next_row(row)) {
      ++passed;
      position_.rows = sheets_[sheet_at_].base + row.number - sheets_[sheet_at_].header_row;
    } else if (!workbook_->outcome().ok()) {
      return problem(workbook_->outcome());
    } else if (sheet_at_ + 1 == sheets_.size() || !open_sheet(sheet_at_ + 1)) {
      return;
    }
  }
}

/// Merges of data over several rows, which leave the lower ones without what a person sees there.
void FileCursor::note_merges() {
  constexpr std::size_t kShown = 5;
  const Sheet& sheet = sheets_[sheet_at_];
  for (const formats::XlsxMerge& merge : workbook_->merges()) {
    const bool read = merge.column < layout_->columns.size() && layout_->columns[merge.column] >= 0;
    if (read && merge.last_row > sheet.header_row && merge.first_row > sheet.header_row &&
        merged_.size() < kShown) {
      merged_.push_back(merge.range);
    }
  }
}

/// The file says so behind the last row, when all have been given out.
void FileCursor::report_merges() {
  problem(fmt::format("cells are merged over several rows ({}): only the first row has the value; "
                      "undo the merge, fill in every row and send the file again",
                      fmt::join(merged_, ", ")),
          fmt::format("存在跨行合并的单元格（{}），只有首行有值，请取消合并并逐行填写后重新报送",
                      fmt::join(merged_, "、")));
}

std::optional<std::pair<std::string, std::uint64_t>> FileCursor::table_place(std::uint64_t row) {
  if (!workbook_ || sheets_.empty()) return std::nullopt;
  runtime::Slice slice;
  while (sheets_.size() > 1 && position_.rows < row && read(slice, 1 << 20)) {
  }
  std::size_t at = 0;
  while (at < sheet_at_ && sheets_[at + 1].base < row) ++at;
  return std::pair{workbook_->sheets()[sheets_[at].index].name,
                   sheets_[at].header_row + row - sheets_[at].base};
}

std::optional<FileCursor::Sheet> FileCursor::find_headings(std::size_t index) {
  const auto texts = [](const formats::XlsxRow& row) {
    std::vector<std::string> cells;
    for (const formats::XlsxCell& cell : row.cells) {
      if (cell.text.empty()) continue;
      if (cell.column >= cells.size()) cells.resize(cell.column + std::size_t{1});
      cells[cell.column] = cell.text;
    }
    return cells;
  };
  constexpr std::uint64_t kRowsToTry = 50;
  Sheet sheet{index, 0, 0, 0, make_layout(options_, place_.name)};
  std::vector<std::string> above;
  formats::XlsxRow row;
  if (!workbook_->select_sheet(index).ok()) return std::nullopt;
  while (sheet.rows_before < kRowsToTry && workbook_->next_row(row)) {
    ++sheet.rows_before;
    std::vector<std::string> headings = texts(row);
    // A title row may hold one word that is a heading too.
    if (sheet.layout->known(headings) < std::min<std::size_t>(2, options_.fields.size())) {
      above = std::move(headings);
      continue;
    }
    sheet.header_row = row.number;
    // Headings in two rows: cells of one are merged over both, or those of the upper name groups.
    if (const auto joined = sheet.layout->join_headings(above, headings)) headings = *joined;
    if (workbook_->next_row(row)) {
      if (const auto joined = sheet.layout->join_headings(headings, texts(row))) {
        headings = *joined;
        sheet.header_row = row.number;
        ++sheet.rows_before;
      }
    }
    if (const auto wrong = sheet.layout->map_headings(std::move(headings), options_)) {
      problem(*wrong);
    }
    return sheet;
  }
  return std::nullopt;
}

bool FileCursor::read_table(Slice& slice, std::size_t slice_bytes) {
  slice.format = static_cast<std::uint32_t>(SliceFormat::kCells);
  slice.bytes.clear();
  slice.first_offset = position_.rows + 1;
  const auto put = [&](const auto& head) {
    slice.bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
  };
  formats::XlsxRow row;
  while (slice.bytes.size() < slice_bytes) {
    if (!workbook_->next_row(row)) {
      if (!workbook_->outcome().ok()) {
        problem(workbook_->outcome());
      } else if (note_merges(); sheet_at_ + 1 == sheets_.size()) {
        merged_.empty() ? finish() : report_merges();
      } else if (open_sheet(sheet_at_ + 1) && slice.bytes.empty()) {
        slice.detail = layout_;
        slice.first_offset = position_.rows + 1;
        continue;
      }
      break;
    }
    ++position_.offset;
    position_.rows = sheets_[sheet_at_].base + row.number - sheets_[sheet_at_].header_row;
    std::uint32_t cells = 0;
    for (const formats::XlsxCell& cell : row.cells) cells += cell.text.empty() ? 0u : 1u;
    if (cells == 0) continue;
    put(CellRowHead{static_cast<std::uint32_t>(position_.rows), cells});
    for (const formats::XlsxCell& cell : row.cells) {
      if (cell.text.empty()) continue;
      put(CellHead{static_cast<std::uint32_t>(cell.text.size()),
                   static_cast<std::uint16_t>(cell.column), static_cast<std::uint16_t>(cell.kind)});
      slice.bytes.append(cell.text);
    }
  }
  if (slice.bytes.empty()) return problem_.empty() ? !position_.done : take_problem(slice);
  return true;
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

}  // namespace huiliu::connectors
