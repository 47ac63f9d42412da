#include "formats/csv.h"

namespace huiliu::formats {
namespace {

constexpr std::size_t kNotFound = std::string_view::npos;

std::size_t find_byte(std::string_view bytes, std::size_t from, char wanted) {
  return from >= bytes.size() ? kNotFound : bytes.find(wanted, from);
}

std::string_view without_line_end(std::string_view row) {
  if (row.ends_with('\n')) {
    row.remove_suffix(1);
    if (row.ends_with('\r')) row.remove_suffix(1);
  }
  return row;
}

}  // namespace

std::string_view csv_error_text(CsvError error) {
  switch (error) {
    case CsvError::kNone:
      return "no error";
    case CsvError::kUnterminatedQuote:
      return "unterminated quote";
    case CsvError::kStrayQuote:
      return "stray quote";
    case CsvError::kTooManyCells:
      return "too many cells";
    case CsvError::kRowTooLong:
      return "row too long";
  }
  return "unknown error";
}

CsvSplitter::CsvSplitter(std::size_t max_row_bytes, CsvDialect dialect)
    : dialect_(dialect), max_row_bytes_(max_row_bytes) {}

void CsvSplitter::reset() {
  row_bytes_ = 0;
  state_ = State::kCellStart;
  skipping_ = false;
}

void CsvSplitter::skip_damaged_row() {
  reset();
  skipping_ = true;
}

CsvSplit CsvSplitter::feed(std::string_view chunk) {
  CsvSplit split;
  std::size_t at = 0;
  if (skipping_) {
    const std::size_t line_feed = find_byte(chunk, 0, '\n');
    if (line_feed == kNotFound) {
      split.complete_bytes = chunk.size();
      return split;
    }
    reset();
    at = line_feed + 1;
    split.complete_bytes = at;
  }
  while (at < chunk.size()) {
    const std::size_t end = scan_row(chunk, at);
    row_bytes_ += (end == kNotFound ? chunk.size() : end) - at;
    if (row_bytes_ > max_row_bytes_) {
      split.error = CsvError::kRowTooLong;
      return split;
    }
    if (end == kNotFound) return split;
    row_bytes_ = 0;
    state_ = State::kCellStart;
    ++split.complete_rows;
    split.complete_bytes = end;
    at = end;
  }
  return split;
}

// Returns the offset just past the row's LF, or kNotFound with state_ left for the next chunk.
std::size_t CsvSplitter::scan_row(std::string_view chunk, std::size_t from) {
  std::size_t at = from;
  while (at < chunk.size()) {
    if (state_ == State::kQuoted) {
      at = scan_quoted(chunk, at);
      continue;
    }
    const char byte = chunk[at];
    if (state_ == State::kCellStart && byte == dialect_.quote) {
      state_ = State::kQuoted;
      ++at;
      continue;
    }
    if (state_ == State::kQuoteInQuoted && byte == dialect_.quote) {
      state_ = State::kQuoted;
      ++at;
      continue;
    }
    at = scan_plain(chunk, at);
    if (at > from && at <= chunk.size() && chunk[at - 1] == '\n' && state_ == State::kPlain) {
      return at;
    }
  }
  return kNotFound;
}

std::size_t CsvSplitter::scan_quoted(std::string_view chunk, std::size_t at) {
  const std::size_t quote = find_byte(chunk, at, dialect_.quote);
  if (quote == kNotFound) return chunk.size();
  state_ = State::kQuoteInQuoted;
  return quote + 1;
}

// Runs outside quotes up to the LF that ends the row (state kPlain, LF consumed), the opening
// quote of a later cell (kCellStart, quote not consumed) or the chunk's end.
std::size_t CsvSplitter::scan_plain(std::string_view chunk, std::size_t at) {
  const char* const data = chunk.data();
  for (; at < chunk.size(); ++at) {
    const char byte = data[at];
    if (byte == '\n') {
      state_ = State::kPlain;
      return at + 1;
    }
    if (byte == dialect_.delimiter) {
      state_ = State::kCellStart;
    } else if (byte == dialect_.quote && state_ == State::kCellStart) {
      return at;
    } else {
      state_ = State::kPlain;
    }
  }
  return at;
}

std::size_t csv_row_end(std::string_view bytes, std::size_t from, CsvDialect dialect) {
  const std::size_t line_feed = find_byte(bytes, from, '\n');
  if (line_feed == kNotFound) return kNotFound;
  const std::string_view line = bytes.substr(from, line_feed + 1 - from);
  if (line.find(dialect.quote) == kNotFound) return line_feed + 1;
  bool cell_start = true;
  for (std::size_t at = from; at < bytes.size(); ++at) {
    const char byte = bytes[at];
    if (byte == '\n') return at + 1;
    if (byte == dialect.quote && cell_start) {
      at = find_byte(bytes, at + 1, dialect.quote);
      while (at != kNotFound && at + 1 < bytes.size() && bytes[at + 1] == dialect.quote) {
        at = find_byte(bytes, at + 2, dialect.quote);
      }
      if (at == kNotFound) return kNotFound;
    }
    cell_start = byte == dialect.delimiter;
  }
  return kNotFound;
}

CsvRowParser::CsvRowParser(std::size_t max_cells, CsvDialect dialect)
    : dialect_(dialect), max_cells_(max_cells) {}

CsvError CsvRowParser::parse(std::string_view row) {
  row = without_line_end(row);
  cells_.clear();
  arena_.clear();
  blank_ = row.empty();
  std::size_t at = 0;
  while (true) {
    if (cells_.size() == max_cells_) return CsvError::kTooManyCells;
    if (at < row.size() && row[at] == dialect_.quote) {
      const CsvError error = parse_quoted(row, at);
      if (error != CsvError::kNone) return error;
    } else {
      const std::size_t delimiter = find_byte(row, at, dialect_.delimiter);
      const std::size_t end = delimiter == kNotFound ? row.size() : delimiter;
      const std::string_view cell = row.substr(at, end - at);
      if (cell.find(dialect_.quote) != kNotFound) return CsvError::kStrayQuote;
      cells_.push_back(cell);
      at = end;
    }
    if (at == row.size()) return CsvError::kNone;
    ++at;
  }
}

// On entry row[at] is the opening quote; on success `at` is the delimiter after the closing quote
// or the row's end.
CsvError CsvRowParser::parse_quoted(std::string_view row, std::size_t& at) {
  const std::size_t first = at + 1;
  std::size_t quote = find_byte(row, first, dialect_.quote);
  std::string_view cell;
  if (quote != kNotFound && (quote + 1 == row.size() || row[quote + 1] != dialect_.quote)) {
    cell = row.substr(first, quote - first);
  } else {
    // Growing the arena later would move earlier cells; the row's length bounds all of them.
    arena_.reserve(row.size());
    const std::size_t cell_start = arena_.size();
    std::size_t from = first;
    while (quote != kNotFound && quote + 1 < row.size() && row[quote + 1] == dialect_.quote) {
      arena_.append(row.substr(from, quote + 1 - from));
      from = quote + 2;
      quote = find_byte(row, from, dialect_.quote);
    }
    if (quote == kNotFound) return CsvError::kUnterminatedQuote;
    arena_.append(row.substr(from, quote - from));
    cell = std::string_view(arena_).substr(cell_start);
  }
  at = quote + 1;
  if (at < row.size() && row[at] != dialect_.delimiter) return CsvError::kStrayQuote;
  cells_.push_back(cell);
  return CsvError::kNone;
}

CsvWriter::CsvWriter(CsvDialect dialect, CsvLineEnd line_end)
    : dialect_(dialect), line_end_(line_end) {}

void CsvWriter::append_row(std::span<const std::string_view> cells, std::string& output) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) output.push_back(dialect_.delimiter);
    append_cell(cells[i], output);
  }
  end_row(cells.size(), !cells.empty() && cells.front().empty(), output);
}

void CsvWriter::append_row(std::span<const std::string> cells, std::string& output) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) output.push_back(dialect_.delimiter);
    append_cell(cells[i], output);
  }
  end_row(cells.size(), !cells.empty() && cells.front().empty(), output);
}

void CsvWriter::append_cell(std::string_view cell, std::string& output) const {
  const char special[] = {dialect_.delimiter, dialect_.quote, '\r', '\n'};
  if (cell.find_first_of(std::string_view(special, sizeof special)) == kNotFound) {
    output.append(cell);
    return;
  }
  output.push_back(dialect_.quote);
  for (const char byte : cell) {
    if (byte == dialect_.quote) output.push_back(byte);
    output.push_back(byte);
  }
  output.push_back(dialect_.quote);
}

// One empty cell would read back as a blank line, hence the quotes.
void CsvWriter::end_row(std::size_t cell_count, bool only_cell_empty, std::string& output) const {
  if (cell_count == 1 && only_cell_empty) output.append(2, dialect_.quote);
  if (line_end_ == CsvLineEnd::kCrLf) output.push_back('\r');
  output.push_back('\n');
}

}  // namespace huiliu::formats
