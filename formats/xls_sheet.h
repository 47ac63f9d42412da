#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/outcome.h"
#include "formats/workbook_reader.h"
#include "formats/xls_records.h"
#include "formats/xls_workbook.h"

namespace huiliu::formats {

// The cells of one sheet of an old workbook. Programs write them in any order: where each lies is
// noted first, 8 bytes a cell.
class XlsSheet {
 public:
  // Both must outlive the object.
  XlsSheet(std::string_view stream, const XlsWorkbook& workbook)
      : stream_(stream), workbook_(workbook) {}

  // Notes the cells of the sheet that begins at an offset of the stream.
  Outcome open(std::size_t offset);
  // The next row that has cells; false at the end. Its text lives until the next call.
  bool next_row(XlsxRow& row, Outcome& outcome);
  void skip_rows(std::uint64_t count);
  const std::vector<XlsxMerge>& merges() const { return merges_; }

 private:
  struct Place {
    std::uint16_t row;
    std::uint16_t column;
    std::uint32_t at;  // of the record's head
  };
  bool note(const XlsRecord& record);
  void note_numbers(const XlsRecord& record);
  void note_merges(std::string_view data);
  void sort();
  Outcome read_cell(const Place& place, XlsxCell& cell);
  void read_number(double number, std::uint16_t style, XlsxCell& cell);
  Outcome read_text(std::string_view data, XlsxCell& cell);
  void read_formula(const XlsRecord& record, XlsRecords& behind, XlsxCell& cell);
  void read_bool(bool value, XlsxCell& cell);
  void read_error(std::uint8_t code, XlsxCell& cell);
  void read_formula_text(XlsRecords& behind, XlsxCell& cell);
  void read_no_value(XlsxCell& cell);

  std::string_view stream_;
  const XlsWorkbook& workbook_;
  std::vector<Place> places_;
  std::size_t next_ = 0;
  std::vector<XlsxMerge> merges_;
  std::string text_;  // of the row
};

}  // namespace huiliu::formats
