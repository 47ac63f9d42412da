#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/xlsx_package.h"
#include "formats/xlsx_reader.h"
#include "formats/xlsx_strings.h"
#include "formats/xml_pull.h"

namespace huiliu::formats {

// Turns a worksheet's XML events into rows, one at a time: pauses the parser after each <row>.
class XlsxSheetHandler : public XmlHandler {
 public:
  // All three must outlive the handler.
  XlsxSheetHandler(const XlsxLimits& limits, const XlsxWorkbook& workbook,
                   const SharedStrings& strings);

  void bind(XmlPull& pull) { pull_ = &pull; }

  // Passes over that many rows, then pauses before the next one is read.
  void skip(std::uint64_t rows) { rows_to_skip_ = rows; }

  // Hands over the row the parser paused after. Its text lives until the parser runs again.
  void take_row(XlsxRow& row);

  const std::vector<XlsxMerge>& merges() const { return merges_; }

  void on_start(std::string_view name, const XmlAttributes& attributes) override;
  void on_end(std::string_view name) override;
  void on_text(std::string_view text) override;

 private:
  enum class ValueType : std::uint8_t {
    kNumber,
    kSharedString,
    kString,
    kInlineString,
    kBool,
    kError,
    kIsoDate
  };

  void note_merge(std::string_view range);
  void begin_row(const XmlAttributes& attributes);
  void begin_cell(const XmlAttributes& attributes);
  bool read_column(std::string_view reference);
  bool read_type(std::string_view type);
  void end_cell();
  void end_shared_string(std::string_view text);
  void end_number(std::string_view text);
  bool show_number(std::string_view literal);
  void end_bool(std::string_view text);
  void end_iso_date();
  void end_without_value();
  void replace_text(std::string_view text);
  void fail(OutcomeCode code, const std::string& what);

  const XlsxLimits& limits_;
  const XlsxWorkbook& workbook_;
  const SharedStrings& strings_;
  XmlPull* pull_ = nullptr;

  std::uint64_t row_number_ = 0;
  std::uint64_t rows_to_skip_ = 0;
  std::string row_text_;
  std::vector<XlsxCell> cells_;
  std::vector<std::size_t> text_offsets_;  // of each cell in row_text_; npos: text is set already

  std::vector<XlsxMerge> merges_;

  XlsxCell cell_;
  std::size_t cell_text_start_ = 0;
  std::uint32_t cell_style_ = 0;
  std::uint32_t next_column_ = 0;
  ValueType cell_type_ = ValueType::kNumber;
  bool cell_has_value_ = false;
  bool cell_has_formula_ = false;
  bool in_formula_ = false;
  std::string formula_;  // its beginning, for whoever has to mend it
  bool in_sheet_data_ = false;
  bool in_row_ = false;
  bool in_cell_ = false;
  bool in_inline_ = false;
  bool in_phonetic_ = false;
  bool capturing_ = false;
};

}  // namespace huiliu::formats
