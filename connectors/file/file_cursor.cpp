#include "connectors/file/file_cursor.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <emmintrin.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/file_decoder.h"
#include "formats/csv.h"

namespace huiliu::connectors {

using runtime::Slice;

namespace {

constexpr std::size_t kHead = 64 << 10;

FileFormat format_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (extension == ".csv" || extension == ".tsv" || extension == ".txt") return FileFormat::kCsv;
  if (extension == ".xlsx") return FileFormat::kXlsx;
  return FileFormat::kNdjson;
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

FileCursor::FileCursor(const FileOptions& options, Place place, FilePosition position)
    : options_(options), place_(std::move(place)), position_(std::move(position)) {
  format_ = options.format == FileFormat::kAuto ? format_of(place_.path) : options.format;
  layout_ = make_layout(options, place_.name);
}

FileCursor::~FileCursor() {
  if (place_.fd >= 0) ::close(place_.fd);
}

bool FileCursor::open() {
  if (format_ == FileFormat::kXlsx) {
    const auto digest = hash_prefix(place_.fd, position_.size, hash_);
    if (!digest) return false;
    if (!position_.digest.empty() && position_.digest != *digest) return false;
    position_.digest = *digest;
    start_table();
    return true;
  }
  if (position_.offset > 0) {
    const auto digest = hash_prefix(place_.fd, position_.offset, hash_);
    if (!digest || *digest != position_.digest) return false;
  }
  read_to_ = position_.offset;
  start_text();
  return true;
}

void FileCursor::problem(const std::string& text) {
  spdlog::error("{}: {}", place_.name, text);
  problem_ = text;
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

void FileCursor::start_text() {
  std::string head(kHead, '\0');
  const ssize_t got = ::pread(place_.fd, head.data(), head.size(), 0);
  if (got < 0) return problem(fmt::format("cannot be read: {}", std::strerror(errno)));
  head.resize(static_cast<std::size_t>(got));
  const formats::Encoding found = formats::detect_encoding(head);
  layout_->encoding = options_.encoding.value_or(found);
  // Without NUL bytes it is text with many bad rows: each is refused by itself.
  if (head.find('\0') != std::string::npos) {
    return problem("the file is binary, not text in the declared format");
  }
  const std::size_t mark = head.starts_with("\xEF\xBB\xBF") ? formats::kUtf8BomBytes : 0;
  if (format_ == FileFormat::kCsv) return read_csv_header(head, mark);
  if (position_.offset == 0 && mark > 0) {
    hash_.add(std::string_view(head).substr(0, mark));
    position_.offset = read_to_ = mark;
  }
}

void FileCursor::read_csv_header(std::string_view head, std::size_t skip) {
  const formats::CsvDialect dialect{options_.delimiter, '"'};
  formats::CsvRowParser parser(4096, dialect);
  formats::Gb18030Converter gb;
  for (std::size_t at = skip; at < head.size();) {
    const std::size_t end = std::min(formats::csv_row_end(head, at, dialect), head.size());
    const std::string_view raw = head.substr(at, end - at);
    at = end;
    std::string converted;
    if (layout_->encoding == formats::Encoding::kGb18030) {
      if (!gb.append_utf8(raw, converted).ok()) break;
    } else {
      converted = raw;
    }
    if (parser.parse(converted) != formats::CsvError::kNone) break;
    if (parser.is_blank()) continue;
    const std::vector<std::string> headings(parser.cells().begin(), parser.cells().end());
    if (layout_->map_headings(headings, options_) == 0) break;
    if (position_.offset == 0) {
      hash_.add(head.substr(0, at));
      position_.offset = read_to_ = at;
    }
    return;
  }
  if (head.size() > skip) problem("the first row has no known column heading");
}

bool FileCursor::fill(std::string& bytes, std::size_t wanted) {
  const std::size_t have = carry_.size();
  const std::uint64_t left = position_.size - std::min(read_to_, position_.size);
  const auto more = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left));
  bytes.reserve(have + more + 64);
  bytes.resize(have + more);
  std::memcpy(bytes.data(), carry_.data(), have);
  std::size_t got = 0;
  while (got < more) {
    const ssize_t n = ::pread(place_.fd, bytes.data() + have + got, more - got,
                              static_cast<off_t>(read_to_ + got));
    if (n < 0 && errno == EINTR) continue;
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
    formats::CsvSplitter splitter(options_.max_row_bytes,
                                  formats::CsvDialect{options_.delimiter, '"'});
    const formats::CsvSplit split = splitter.feed(bytes);
    result = {split.complete_bytes, split.complete_rows, false};
    const bool endless =
        split.error != formats::CsvError::kNone || (at_end && splitter.inside_quotes());
    if (endless) {
      result.damaged = split.complete_bytes == 0;
    } else if (at_end && split.complete_bytes < bytes.size()) {
      result = {bytes.size(), split.complete_rows + 1, false};
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

/// The row at the start of carry_ is too long: shows its beginning, passes over the rest.
bool FileCursor::damaged_row(Slice& slice) {
  constexpr std::size_t kShown = 1024;
  slice.format = static_cast<std::uint32_t>(SliceFormat::kTooLong);
  slice.bytes.assign(carry_, 0, std::min(kShown, carry_.size()));
  slice.first_offset = ++position_.rows;
  for (;;) {
    const std::size_t end = carry_.find('\n');
    const std::size_t taken = end == std::string::npos ? carry_.size() : end + 1;
    hash_.add(std::string_view(carry_).substr(0, taken));
    position_.offset += taken;
    carry_.erase(0, taken);
    if (end != std::string::npos || read_to_ >= position_.size) break;
    std::string more;
    if (!fill(more, 1 << 20)) break;
    carry_ = std::move(more);
  }
  return true;
}

bool FileCursor::read_text(Slice& slice, std::size_t slice_bytes) {
  std::string& bytes = slice.bytes;
  for (std::size_t wanted = slice_bytes;; wanted *= 2) {
    const std::size_t before = carry_.size();
    if (!fill(bytes, wanted)) return take_problem(slice);
    carry_.clear();
    const bool at_end = read_to_ >= position_.size;
    const Cut found = cut(bytes, at_end);
    if (found.damaged) {
      carry_ = bytes;
      return damaged_row(slice);
    }
    if (found.bytes == 0 && !at_end) {
      carry_ = bytes;
      continue;
    }
    carry_.assign(bytes, found.bytes, std::string::npos);
    bytes.resize(found.bytes);
    if (bytes.empty() && before == 0) {
      finish();
      return false;
    }
    hash_.add(bytes);
    position_.offset += bytes.size();
    slice.first_offset = position_.rows + 1;
    position_.rows += found.rows;
    slice.format = static_cast<std::uint32_t>(format_ == FileFormat::kCsv ? SliceFormat::kCsv
                                                                          : SliceFormat::kNdjson);
    if (at_end && carry_.empty()) finish();
    return true;
  }
}

void FileCursor::start_table() {
  xlsx_ = std::make_unique<formats::XlsxReader>();
  if (!xlsx_->open(place_.path).ok()) return problem(xlsx_->outcome().message);
  const bool selected = options_.sheet.empty() ? xlsx_->select_sheet(std::size_t{0}).ok()
                                               : xlsx_->select_sheet(options_.sheet).ok();
  if (!selected) return problem(xlsx_->outcome().message);
  if (!find_headings()) {
    return problem(xlsx_->outcome().ok() ? "no row of the sheet has known column headings"
                                         : xlsx_->outcome().message);
  }
  if (position_.offset > 0 && !xlsx_->skip_rows(position_.offset).ok()) {
    problem(xlsx_->outcome().message);
  }
}

std::string FileCursor::sheet() const {
  if (!xlsx_) return {};
  if (!options_.sheet.empty()) return options_.sheet;
  return xlsx_->sheets().empty() ? "" : xlsx_->sheets().front().name;
}

bool FileCursor::find_headings() {
  formats::XlsxRow row;
  constexpr int kRowsToTry = 50;
  for (int i = 0; i < kRowsToTry && xlsx_->next_row(row); ++i) {
    std::vector<std::string> headings;
    std::size_t known = 0;
    for (const formats::XlsxCell& cell : row.cells) {
      if (cell.column >= headings.size()) headings.resize(cell.column + 1);
      headings[cell.column] = cell.text;
      if (layout_->keys.find(cell.text) >= 0) ++known;
    }
    // A title row may hold one word that is a heading too.
    if (known < std::min<std::size_t>(2, options_.fields.size())) continue;
    layout_->map_headings(headings, options_);
    header_row_ = row.number;
    return true;
  }
  return false;
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
    if (!xlsx_->next_row(row)) {
      if (!xlsx_->outcome().ok()) {
        problem(xlsx_->outcome().message);
      } else {
        finish();
      }
      break;
    }
    ++position_.offset;
    position_.rows = row.number - header_row_;
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
  if (!problem_.empty()) return take_problem(slice);
  const bool got =
      format_ == FileFormat::kXlsx ? read_table(slice, slice_bytes) : read_text(slice, slice_bytes);
  if (format_ != FileFormat::kXlsx) position_.digest = hash_.digest();
  return got;
}

}  // namespace huiliu::connectors
