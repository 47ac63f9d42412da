#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::formats {

enum class CsvError : std::uint8_t {
  kNone,
  kUnterminatedQuote,  // the row ends within a quoted cell
  kStrayQuote,         // a quote within an unquoted cell, or bytes after a closing quote
  kTooManyCells,
  kRowTooLong
};

// Text for a reject or a log line, such as "unterminated quote".
std::string_view csv_error_text(CsvError error);

// RFC 4180 with a free choice of delimiter. When splitting raw GB18030 bytes the delimiter must
// not be a trail byte: comma, tab and semicolon are safe; '|' (7C) is not.
struct CsvDialect {
  char delimiter = ',';
  char quote = '"';
};

// Finds the end of the row that starts at bytes[from]: the offset just past its LF, or npos when
// the row does not end within `bytes`. A quote opens a quoted cell only where a cell starts; where
// one closes and something else than a delimiter or a line end follows, the row is spoilt and ends
// at its first LF, so that it takes no other with it.
std::size_t csv_row_end(std::string_view bytes, std::size_t from, CsvDialect dialect = {});

// What split_csv() found.
struct [[nodiscard]] CsvSplit {
  CsvError error = CsvError::kNone;  // of the row behind complete_bytes; kRowTooLong or
                                     // kUnterminatedQuote
  std::size_t complete_bytes = 0;    // offset just past the last complete row's LF
  std::size_t complete_rows = 0;
};

// Cuts the rows (UTF-8 or GB18030) that end within `bytes`, which starts at a row. A row's bytes
// include its line end. Rows longer than `max_row_bytes` are an error; an unterminated quote is
// known as such when the row goes on for several lines beyond the bound, or up to the end of the
// input when that is `at_end`.
CsvSplit split_csv(std::string_view bytes, std::size_t max_row_bytes, bool at_end,
                   CsvDialect dialect = {});

// Splits one row into cells. Owns an arena that unescaped cells live in; one a thread.
class CsvRowParser {
 public:
  explicit CsvRowParser(std::size_t max_cells = 4096, CsvDialect dialect = {});

  // `row` is one row with or without its LF or CRLF. Cells view `row` or the arena: valid until the
  // next parse() and while `row` lives. No allocation once the arena has seen the longest row.
  // On error cells() holds the cells before error_cell().
  [[nodiscard]] CsvError parse(std::string_view row);

  const std::vector<std::string_view>& cells() const { return cells_; }
  std::size_t error_cell() const { return cells_.size(); }
  // True for an empty line: one cell with nothing in it, not even quotes.
  bool is_blank() const { return blank_; }

 private:
  CsvError parse_quoted(std::string_view row, std::size_t& at);

  CsvDialect dialect_;
  std::size_t max_cells_;
  std::vector<std::string_view> cells_;
  std::string arena_;
  bool blank_ = true;
};

enum class CsvLineEnd : std::uint8_t { kLf, kCrLf };

// Appends rows to a string; quotes a cell only where RFC 4180 needs it.
class CsvWriter {
 public:
  explicit CsvWriter(CsvDialect dialect = {}, CsvLineEnd line_end = CsvLineEnd::kLf);

  void append_row(std::span<const std::string_view> cells, std::string& output) const;
  void append_row(std::span<const std::string> cells, std::string& output) const;

 private:
  void append_cell(std::string_view cell, std::string& output) const;
  void end_row(std::size_t cell_count, bool only_cell_empty, std::string& output) const;

  CsvDialect dialect_;
  CsvLineEnd line_end_;
};

}  // namespace huiliu::formats
