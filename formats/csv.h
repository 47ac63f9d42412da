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

// What one feed() found.
struct [[nodiscard]] CsvSplit {
  CsvError error = CsvError::kNone;  // kNone or kRowTooLong
  std::size_t complete_bytes = 0;    // offset in the fed chunk just past the last complete row's LF
  std::size_t complete_rows = 0;     // rows that end within the chunk
};

// Finds row ends in a stream of raw bytes (UTF-8 or GB18030) handed over chunk by chunk, in order.
// Each byte is looked at once; the bytes after complete_bytes belong to a row that a later chunk
// ends, the caller keeps them. A quote opens a quoted cell only where a cell starts, so that a
// stray quote spoils its own row and no other.
class CsvSplitter {
 public:
  explicit CsvSplitter(std::size_t max_row_bytes = std::size_t{1} << 20, CsvDialect dialect = {});

  // After kRowTooLong only reset() or skip_damaged_row() makes sense. A row's bytes include its
  // line end.
  CsvSplit feed(std::string_view chunk);

  // Bytes of the unfinished row seen so far; 0 exactly at a row's start.
  std::size_t pending_bytes() const { return row_bytes_; }
  // True when the stream so far ends inside a quoted cell.
  bool inside_quotes() const { return state_ == State::kQuoted; }
  // Back to the start of a row, e.g. after a seek to a known row start.
  void reset();
  // After kRowTooLong: ends the damaged row at the next LF, quoted or not. Feed the bytes that
  // followed complete_bytes' row from wherever the caller wants to resume.
  void skip_damaged_row();

 private:
  enum class State : std::uint8_t { kCellStart, kPlain, kQuoted, kQuoteInQuoted };

  std::size_t scan_row(std::string_view chunk, std::size_t from);
  std::size_t scan_quoted(std::string_view chunk, std::size_t at);
  std::size_t scan_plain(std::string_view chunk, std::size_t at);

  CsvDialect dialect_;
  std::size_t max_row_bytes_;
  std::size_t row_bytes_ = 0;
  State state_ = State::kCellStart;
  bool skipping_ = false;
};

// Finds the end of the row that starts at bytes[from]: the offset just past its LF, or npos when
// the row does not end within `bytes`. Walks the rows of a block that CsvSplitter has cut.
std::size_t csv_row_end(std::string_view bytes, std::size_t from, CsvDialect dialect = {});

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
