#include "formats/xlsx_sheet_handler.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace huiliu::formats {
namespace {

constexpr std::size_t kTextIsSet = std::string_view::npos;
constexpr std::uint32_t kMaxColumnLetters = 3;
constexpr std::size_t kMaxFormula = 120;
constexpr double kFifteenDigits = 1e15;  // what Excel keeps and shows of a number

template <typename Integer>
bool parse_whole(std::string_view text, Integer& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size() && !text.empty();
}

bool parse_finite(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  return parse_whole(text, value) && std::isfinite(value);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kXmlSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kXmlSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kXmlSpace) + 1 - first);
}

// True for the spelling that needs no work: 0, or up to 15 digits without a leading zero.
bool is_plain_whole(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.size() > 15 || (text.front() == '0' && text.size() > 1)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_iso_date(std::string_view text) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
  if (text.size() > 10 && text[10] != 'T') return false;
  for (const std::size_t at : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U}) {
    if (text[at] < '0' || text[at] > '9') return false;
  }
  return true;
}

}  // namespace

XlsxSheetHandler::XlsxSheetHandler(const XlsxLimits& limits, const XlsxWorkbook& workbook,
                                   const SharedStrings& strings)
    : limits_(limits), workbook_(workbook), strings_(strings) {}

void XlsxSheetHandler::fail(OutcomeCode code, const std::string& what) {
  pull_->fail(code, "row " + std::to_string(row_number_) + ": " + what);
}

void XlsxSheetHandler::take_row(XlsxRow& row) {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (text_offsets_[i] == kTextIsSet) continue;
    const std::size_t size = cells_[i].text.size();
    cells_[i].text = std::string_view(row_text_).substr(text_offsets_[i], size);
  }
  row.number = row_number_;
  row.cells.swap(cells_);
}

void XlsxSheetHandler::on_start(std::string_view name, const XmlAttributes& attributes) {
  if (!in_sheet_data_) {
    in_sheet_data_ = name == "sheetData";
    if (name == "mergeCell") note_merge(attributes.get("ref"));
    return;
  }
  if (name == "c") {
    if (in_row_ && rows_to_skip_ == 0) begin_cell(attributes);
  } else if (name == "row") {
    begin_row(attributes);
  } else if (!in_cell_) {
    return;
  } else if (name == "v") {
    capturing_ = cell_type_ != ValueType::kInlineString;
    cell_has_value_ = cell_has_value_ || capturing_;
  } else if (name == "is") {
    in_inline_ = cell_type_ == ValueType::kInlineString;
    cell_has_value_ = cell_has_value_ || in_inline_;
  } else if (name == "f") {
    cell_has_formula_ = in_formula_ = true;
  } else if (name == "rPh") {
    in_phonetic_ = true;
  } else if (name == "t") {
    capturing_ = in_inline_ && !in_phonetic_;
  }
}

void XlsxSheetHandler::on_end(std::string_view name) {
  if (!in_sheet_data_) return;
  if (name == "v" || name == "t") {
    capturing_ = false;
  } else if (name == "f") {
    in_formula_ = false;
  } else if (name == "c") {
    if (in_cell_) end_cell();
  } else if (name == "row") {
    if (!in_row_) return;
    in_row_ = false;
    if (rows_to_skip_ == 0 || --rows_to_skip_ == 0) pull_->pause();
  } else if (name == "rPh") {
    in_phonetic_ = false;
  } else if (name == "is") {
    in_inline_ = false;
  } else if (name == "sheetData") {
    in_sheet_data_ = false;
  }
}

void XlsxSheetHandler::on_text(std::string_view text) {
  if (!capturing_) {
    if (in_formula_ && formula_.size() < kMaxFormula) formula_.append(text);
    return;
  }
  if (row_text_.size() + text.size() > limits_.max_row_text_bytes) {
    fail(OutcomeCode::kLimit,
         "more text than " + std::to_string(limits_.max_row_text_bytes) + " bytes in one row");
    return;
  }
  row_text_.append(text);
}

void XlsxSheetHandler::note_merge(std::string_view range) {
  constexpr std::size_t kEnough = 100;
  const std::size_t colon = range.find(':');
  if (colon == std::string_view::npos || merges_.size() == kEnough) return;
  const auto row_of = [](std::string_view reference, std::uint64_t& row) {
    const std::size_t digits = reference.find_first_of("0123456789");
    return digits != std::string_view::npos && parse_whole(reference.substr(digits), row);
  };
  XlsxMerge merge{std::string(range), 0, 0, 0};
  if (!row_of(range.substr(0, colon), merge.first_row)) return;
  if (!row_of(range.substr(colon + 1), merge.last_row)) return;
  if (merge.last_row <= merge.first_row || !read_column(range)) return;
  merge.column = cell_.column;
  merges_.push_back(std::move(merge));
}

void XlsxSheetHandler::begin_row(const XmlAttributes& attributes) {
  if (in_row_) return fail(OutcomeCode::kCorrupt, "a row within a row");
  const std::string_view number = attributes.get("r");
  std::uint64_t next = row_number_ + 1;
  if (!number.empty() && !parse_whole(number, next)) {
    return fail(OutcomeCode::kCorrupt, "followed by a row with a bad number");
  }
  if (next <= row_number_) return fail(OutcomeCode::kCorrupt, "followed by a row out of order");
  row_number_ = next;
  if (row_number_ > limits_.max_rows) {
    return fail(OutcomeCode::kLimit,
                "beyond the bound of " + std::to_string(limits_.max_rows) + " rows");
  }
  in_row_ = true;
  next_column_ = 0;
  row_text_.clear();
  cells_.clear();
  text_offsets_.clear();
}

void XlsxSheetHandler::begin_cell(const XmlAttributes& attributes) {
  if (in_cell_) return fail(OutcomeCode::kCorrupt, "a cell within a cell");
  cell_ = XlsxCell{};
  cell_.column = next_column_;
  const std::string_view reference = attributes.get("r");
  if (!reference.empty() && !read_column(reference)) {
    return fail(OutcomeCode::kCorrupt, "a cell with a bad reference");
  }
  if (cell_.column < next_column_) return fail(OutcomeCode::kCorrupt, "cells out of order");
  if (cell_.column >= limits_.max_columns) {
    return fail(OutcomeCode::kLimit,
                "beyond the bound of " + std::to_string(limits_.max_columns) + " columns");
  }
  next_column_ = cell_.column + 1;
  if (!read_type(attributes.get("t"))) return fail(OutcomeCode::kCorrupt, "unknown type of cell");
  const std::string_view style = attributes.get("s");
  cell_style_ = 0;
  if (!style.empty() && !parse_whole(style, cell_style_)) {
    return fail(OutcomeCode::kCorrupt, "a cell with a bad style");
  }
  cell_text_start_ = row_text_.size();
  cell_has_value_ = false;
  cell_has_formula_ = in_formula_ = false;
  formula_.clear();
  in_inline_ = false;
  in_phonetic_ = false;
  in_cell_ = true;
}

// "AB12" sets the column to 27; the row's number is taken from the row.
bool XlsxSheetHandler::read_column(std::string_view reference) {
  std::uint32_t column = 0;
  std::uint32_t letters = 0;
  while (letters < reference.size() && letters <= kMaxColumnLetters) {
    char letter = reference[letters];
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 32);
    if (letter < 'A' || letter > 'Z') break;
    column = column * 26 + static_cast<std::uint32_t>(letter - 'A') + 1;
    ++letters;
  }
  if (letters == 0 || letters > kMaxColumnLetters) return false;
  cell_.column = column - 1;
  return true;
}

bool XlsxSheetHandler::read_type(std::string_view type) {
  if (type.empty() || type == "n") {
    cell_type_ = ValueType::kNumber;
  } else if (type == "s") {
    cell_type_ = ValueType::kSharedString;
  } else if (type == "str") {
    cell_type_ = ValueType::kString;
  } else if (type == "inlineStr") {
    cell_type_ = ValueType::kInlineString;
  } else if (type == "b") {
    cell_type_ = ValueType::kBool;
  } else if (type == "e") {
    cell_type_ = ValueType::kError;
  } else if (type == "d") {
    cell_type_ = ValueType::kIsoDate;
  } else {
    return false;
  }
  return true;
}

void XlsxSheetHandler::end_cell() {
  in_cell_ = false;
  capturing_ = false;
  cell_.text = {};
  const bool is_text = cell_type_ == ValueType::kString || cell_type_ == ValueType::kInlineString;
  const std::string_view raw = std::string_view(row_text_).substr(cell_text_start_);
  const std::string_view trimmed = trim(raw);
  text_offsets_.push_back(cell_text_start_);
  if (!cell_has_value_ || (!is_text && trimmed.empty())) {
    if (cell_has_formula_) {
      end_without_value();
    } else {
      replace_text("");
    }
  } else if (is_text) {
    cell_.kind = CellKind::kString;
    decode_xstring(row_text_, cell_text_start_);
  } else if (cell_type_ == ValueType::kSharedString) {
    end_shared_string(trimmed);
  } else if (cell_type_ == ValueType::kNumber) {
    end_number(trimmed);
  } else if (cell_type_ == ValueType::kBool) {
    end_bool(trimmed);
  } else if (cell_type_ == ValueType::kIsoDate) {
    end_iso_date();
  } else {
    cell_.kind = CellKind::kError;
  }
  // Only the size counts until take_row(): row_text_ may still move.
  if (text_offsets_.back() != kTextIsSet) {
    cell_.text = std::string_view(row_text_).substr(cell_text_start_);
  }
  cells_.push_back(cell_);
}

void XlsxSheetHandler::end_shared_string(std::string_view text) {
  std::size_t index = 0;
  if (!parse_whole(text, index) || index >= strings_.size()) {
    return fail(OutcomeCode::kCorrupt, "a cell names a shared string that is not there");
  }
  cell_.kind = CellKind::kString;
  cell_.text = strings_.at(index);
  text_offsets_.back() = kTextIsSet;
  row_text_.resize(cell_text_start_);
}

void XlsxSheetHandler::end_number(std::string_view text) {
  if (!parse_finite(text, cell_.number)) {
    cell_.number = 0;
    cell_.kind = CellKind::kError;
    return;
  }
  cell_.kind = CellKind::kNumber;
  if (show_number(text)) return;
  if (text.size() != row_text_.size() - cell_text_start_) replace_text(std::string(text));
}

// Replaces a number's literal by what its format shows; false when it stands as it is.
bool XlsxSheetHandler::show_number(std::string_view literal) {
  const NumberFormat& format = workbook_.styles.format(cell_style_);
  if (format.is_time()) {
    std::string shown;
    const bool is_moment = append_serial(cell_.number, workbook_.dates, format.kind, shown);
    // A serial that is no day shows as ##### (or as 1900-01-00): nobody can mean that.
    cell_.kind = is_moment ? CellKind::kDate : CellKind::kError;
    if (is_moment) replace_text(shown);
    return is_moment;
  }
  const bool zeros = format.kind == NumberFormat::Kind::kZeros;
  if (!zeros && is_plain_whole(literal)) return false;
  const double number = cell_.number;
  if (std::fabs(number) >= kFifteenDigits || number != std::floor(number)) return false;
  std::string shown = std::to_string(static_cast<long long>(number));
  if (zeros) shown = fill_zeros(format.pattern, shown);
  replace_text(shown);
  return true;
}

// Programs that write formulas leave their results to Excel; nobody has seen a value yet.
void XlsxSheetHandler::end_without_value() {
  cell_.kind = CellKind::kNoValue;
  decode_xstring(formula_, 0);
  if (formula_.size() > kMaxFormula) {
    std::size_t end = kMaxFormula;
    while (end > 0 && (static_cast<unsigned char>(formula_[end]) & 0xC0) == 0x80) --end;
    formula_.resize(end);
  }
  replace_text("=" + formula_);
}

void XlsxSheetHandler::end_bool(std::string_view text) {
  const bool is_true = text == "1" || text == "true";
  if (!is_true && text != "0" && text != "false") {
    cell_.kind = CellKind::kError;
    return;
  }
  cell_.kind = CellKind::kBool;
  cell_.number = is_true ? 1 : 0;
  replace_text(is_true ? "TRUE" : "FALSE");
}

void XlsxSheetHandler::end_iso_date() {
  const std::string text(trim(std::string_view(row_text_).substr(cell_text_start_)));
  cell_.kind = is_iso_date(text) ? CellKind::kDate : CellKind::kError;
  std::string shown = text;
  if (cell_.kind == CellKind::kDate && shown.size() > 10) shown[10] = ' ';
  replace_text(shown);
}

void XlsxSheetHandler::replace_text(std::string_view text) {
  row_text_.resize(cell_text_start_);
  row_text_.append(text);
}

}  // namespace huiliu::formats
