// How a cursor reads files of lines: NDJSON and CSV.
#include <cerrno>
#include <cstring>

#include <emmintrin.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "codecs/files/file_cursor.h"
#include "codecs/files/foreign_content.h"
#include "codecs/files/text_copy.h"
#include "formats/csv.h"
#include "runtime/base/failpoint.h"

namespace huiliu::codecs {

using runtime::Slice;

namespace {

constexpr std::size_t kHead = 64 << 10;
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::size_t kTextPerNul = 16;  // with more NUL bytes than one in so many it is no text

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

}  // namespace huiliu::codecs
