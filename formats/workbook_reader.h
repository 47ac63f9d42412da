#pragma once

#include <cstddef>
#include <cstdint>
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
  // other numbers as the file has them
  // (in their shortest spelling where it has them in binary). kDate: yyyy-mm-dd, yyyy-mm-dd
  // hh:mm:ss[.fff], hh:mm:ss or, for a duration, h:mm:ss, as the cell's format shows it. kBool:
  // TRUE or FALSE. kError: e.g. #N/A, or a serial that is no day. kNoValue: the formula behind "=".
  // Valid UTF-8; lives until the next call of the reader.
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
  std::string part;  // where it lies in the file; empty for what is no worksheet, e.g. a chart
};

// Cells that are shown as one, with the value of the first; the others are empty in the file.
struct XlsxMerge {
  std::string range;  // A3:A5
  std::uint32_t column = 0;
  std::uint64_t first_row = 0;
  std::uint64_t last_row = 0;
};

// Gives the rows of a workbook's sheets, whatever kind of file it is: XlsxReader, XlsReader. Never
// throws on bad data: a damaged file ends in an Outcome. One thread.
class WorkbookReader {
 public:
  WorkbookReader() = default;
  virtual ~WorkbookReader() = default;
  WorkbookReader(const WorkbookReader&) = delete;
  WorkbookReader& operator=(const WorkbookReader&) = delete;

  // Reads the list of sheets and the styles.
  virtual Outcome open(const std::string& path) = 0;

  virtual const std::vector<XlsxSheet>& sheets() const = 0;

  // Starts at the first row of a sheet; may be called again, also for another sheet.
  virtual Outcome select_sheet(std::size_t index) = 0;

  // Fills `row` with the next row of the file; false at the end and on error, see outcome().
  virtual bool next_row(XlsxRow& row) = 0;
  // Passes over the next `count` rows next_row() would give: resumes after that many were read.
  virtual Outcome skip_rows(std::uint64_t count) = 0;

  // The merges over several rows of the sheet: a file may name them behind the last row, so they
  // are known once next_row() has said that there is no more. At most a hundred.
  virtual const std::vector<XlsxMerge>& merges() const = 0;

  // How the last open, select, skip or next_row went.
  virtual const Outcome& outcome() const = 0;
};

}  // namespace huiliu::formats
