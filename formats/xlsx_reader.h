#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"

namespace huiliu::formats {

enum class CellKind : std::uint8_t {
  kEmpty,
  kString,
  kNumber,
  kDate,
  kBool,
  kError,
  kNoValue  // a formula whose result the file does not hold
};

struct XlsxCell {
  std::uint32_t column = 0;  // from 0: A is 0
  CellKind kind = CellKind::kEmpty;
  // What a person sees, in a fixed spelling. kNumber: a whole number of at most 15 digits as such
  // however the writer spelt it (100.0, 2.0190012E7), with the zeros its format carries (00000);
  // other numbers as the file has them. kDate: yyyy-mm-dd, yyyy-mm-dd hh:mm:ss[.fff], hh:mm:ss or,
  // for a duration, h:mm:ss, as the cell's format shows it. kBool: TRUE or FALSE. kError: e.g.
  // #N/A, or a serial that is no day. kNoValue: the formula behind "=". Valid UTF-8; lives until
  // the next call of the reader.
  std::string_view text;
  double number = 0;  // kNumber; kBool 0 or 1; kDate the serial
};

struct XlsxRow {
  std::uint64_t number = 0;     // as Excel shows it, from 1; absent rows are left out
  std::vector<XlsxCell> cells;  // ascending by column; absent cells are left out

  // The cell of `column`, kEmpty when the file has none there (also covered by a merged cell).
  const XlsxCell& at(std::uint32_t column) const;
};

struct XlsxSheet {
  std::string name;
  bool visible = true;
  std::string part;  // path within the archive
};

// Cells that are shown as one, with the value of the first; the others are empty in the file.
struct XlsxMerge {
  std::string range;  // A3:A5
  std::uint32_t column = 0;
  std::uint64_t first_row = 0;
  std::uint64_t last_row = 0;
};

// Bounds on outside input; beyond one the reader reports kLimit.
struct XlsxLimits {
  std::uint64_t max_sheet_bytes = std::uint64_t{8} << 30;      // the sheet's XML, uncompressed
  std::uint64_t max_metadata_bytes = std::uint64_t{64} << 20;  // each other part, uncompressed
  std::uint64_t max_shared_strings_bytes = std::uint64_t{256} << 20;  // memory held for the table
  std::uint64_t max_row_text_bytes = std::uint64_t{16} << 20;         // text of one row
  std::uint64_t max_rows = 1048576;
  std::uint32_t max_columns = 16384;
  std::uint32_t max_sheets = 1024;
  std::uint32_t max_depth = 64;  // nested XML elements
  std::uint32_t max_zip_entries = 65535;
};

// Streams the rows of one sheet of an .xlsx file (ECMA-376 part 1, chapter 18) in memory that does
// not grow with the sheet; only the shared-strings table is held, within its bound. Never throws
// on bad data: a damaged file ends in an Outcome. The zip checksum is known only at the sheet's
// end, so rows of a file that turns out corrupt have been handed out before. One thread.
class XlsxReader {
 public:
  explicit XlsxReader(XlsxLimits limits = {});
  ~XlsxReader();
  XlsxReader(const XlsxReader&) = delete;
  XlsxReader& operator=(const XlsxReader&) = delete;

  // Reads the list of sheets and the styles.
  Outcome open(const std::string& path);
  // The same of a file in memory, which must outlive the reader.
  Outcome open_bytes(std::string_view file);

  const std::vector<XlsxSheet>& sheets() const;

  // Starts at the first row of a sheet; may be called again, also for another sheet.
  Outcome select_sheet(std::size_t index);
  Outcome select_sheet(std::string_view name);

  // Fills `row` with the next row of the file; false at the end and on error, see outcome().
  bool next_row(XlsxRow& row);
  // Passes over the next `count` rows next_row() would give: resumes after that many were read.
  Outcome skip_rows(std::uint64_t count);

  // The merges over several rows of the sheet: the file names them behind the last row, so they are
  // known once next_row() has said that there is no more. At most a hundred.
  const std::vector<XlsxMerge>& merges() const;

  // How the last open, select, skip or next_row went.
  const Outcome& outcome() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::formats
