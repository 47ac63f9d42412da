#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/xlsx_text.h"

namespace huiliu::formats {

// kError fills the cell red, kNote light yellow.
enum class CellMark : std::uint8_t { kPlain, kError, kNote };

struct XlsxSheetLayout {
  std::string name = "Sheet1";
  std::vector<double> column_widths;  // in characters, from the first column; 0 keeps the default
  bool freeze_header = true;          // the header row stays in view
};

struct XlsxWriterOptions {
  bool constant_memory = true;  // false keeps all in memory and writes a shared-strings table
  std::string temp_folder;      // for constant_memory; empty: the system's
};

// Writes a workbook row by row, top to bottom. Constant memory: finished rows live in a temporary
// file. The file at `path` appears at close(); destroyed unclosed, nothing is written. One thread.
class XlsxWriter {
 public:
  explicit XlsxWriter(std::string path, const XlsxWriterOptions& options = {});
  ~XlsxWriter();
  XlsxWriter(const XlsxWriter&) = delete;
  XlsxWriter& operator=(const XlsxWriter&) = delete;

  // Starts a sheet; what follows goes to it. Names: 1 to 31 characters, none of []:*?/\, unique.
  Outcome add_sheet(const XlsxSheetLayout& layout);

  // Writes a bold row and moves to the next.
  Outcome write_header(std::span<const std::string> titles);

  // Cells of the current row, in any order of columns (from 0). Text is always text, never a
  // formula; what a cell cannot hold of it is shortened or replaced (`altered` says so).
  Outcome write_text(std::uint32_t column, std::string_view text, CellMark mark = CellMark::kPlain,
                     CellText* altered = nullptr);
  // A note on a cell of the current row; kept in memory until close().
  Outcome write_comment(std::uint32_t column, std::string_view text);
  // kInvalid for a value that is not finite.
  Outcome write_number(std::uint32_t column, double value, CellMark mark = CellMark::kPlain);
  // `iso_date` is yyyy-mm-dd, shown in that format; kInvalid when it is no date from 1900-03-01.
  Outcome write_date(std::uint32_t column, std::string_view iso_date,
                     CellMark mark = CellMark::kPlain);
  // Moves to the next row; kLimit after row 1,048,576.
  Outcome end_row();

  // Writes the file. The writer is of no further use; a second call reports kInvalid.
  Outcome close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::formats
