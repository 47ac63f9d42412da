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
    // Text files that went through a wrong conversion end their lines with CR CR LF.
    while (row.ends_with('\r')) row.remove_suffix(1);
  }
  return row;
}

bool may_follow_quote(char byte, CsvDialect dialect) {
  return byte == dialect.delimiter || byte == '\r' || byte == '\n';
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
      // A quote that closes no cell: the row is spoilt, and must not take others with it.
      if (at + 1 < bytes.size() && !may_follow_quote(bytes[at + 1], dialect)) return line_feed + 1;
    }
    cell_start = byte == dialect.delimiter;
  }
  return kNotFound;
}

CsvSplit split_csv(std::string_view bytes, std::size_t max_row_bytes, bool at_end,
                   CsvDialect dialect) {
  CsvSplit split;
  std::size_t& at = split.complete_bytes;
  while (at < bytes.size()) {
    const std::size_t found = csv_row_end(bytes, at, dialect);
    const bool open = found == kNotFound;
    const std::string_view row = bytes.substr(at, open ? kNotFound : found - at);
    const bool too_long = row.size() > max_row_bytes;
    if (open || too_long) {
      const std::size_t line = find_byte(row, 0, '\n');
      const bool runs_on = line != kNotFound && line < max_row_bytes;
      if (open && runs_on && (too_long || at_end)) {
        split.error = CsvError::kUnterminatedQuote;
      } else if (too_long) {
        split.error = CsvError::kRowTooLong;
      }
      break;
    }
    ++split.complete_rows;
    at = found;
  }
  return split;
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
