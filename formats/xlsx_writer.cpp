#include "formats/xlsx_writer.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include <xlsxwriter.h>

#include "formats/xlsx_text.h"

namespace huiliu::formats {
namespace {

constexpr lxw_row_t kMaxRows = 1048576;
constexpr std::uint32_t kErrorFill = 0xFF9999;
constexpr std::uint32_t kNoteFill = 0xFFF2CC;
constexpr double kCommentScale = 2;
constexpr double kDefaultWidth = 8.43;

Outcome outcome_of(lxw_error error, const std::string& what) {
  if (error == LXW_NO_ERROR) return {};
  OutcomeCode code = OutcomeCode::kInvalid;
  if (error == LXW_ERROR_MAX_STRING_LENGTH_EXCEEDED ||
      error == LXW_ERROR_WORKSHEET_INDEX_OUT_OF_RANGE) {
    code = OutcomeCode::kLimit;
  } else if (error == LXW_ERROR_CREATING_XLSX_FILE || error == LXW_ERROR_CREATING_TMPFILE ||
             error == LXW_ERROR_READING_TMPFILE || error == LXW_ERROR_ZIP_FILE_OPERATION ||
             error == LXW_ERROR_ZIP_FILE_ADD || error == LXW_ERROR_ZIP_CLOSE ||
             error == LXW_ERROR_MEMORY_MALLOC_FAILED) {
    code = OutcomeCode::kIo;
  }
  return Outcome::failure(code, what + ": " + lxw_strerror(error));
}

template <typename Integer>
bool parse_digits(std::string_view text, Integer& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool parse_iso_date(std::string_view text, lxw_datetime& date) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!parse_digits(text.substr(0, 4), year) || !parse_digits(text.substr(5, 2), month) ||
      !parse_digits(text.substr(8, 2), day)) {
    return false;
  }
  const std::chrono::year_month_day value(std::chrono::year(static_cast<int>(year)),
                                          std::chrono::month(month), std::chrono::day(day));
  // Excel counts an inexistent 1900-02-29; earlier dates would shift by a day.
  constexpr auto kFirst = std::chrono::year{1900} / 3 / 1;
  if (!value.ok() || value < kFirst) return false;
  date = lxw_datetime{};
  date.year = static_cast<int>(year);
  date.month = static_cast<int>(month);
  date.day = static_cast<int>(day);
  return true;
}

}  // namespace

struct XlsxWriter::Impl {
  std::string path;
  std::string temp_folder;
  lxw_workbook* book = nullptr;
  lxw_worksheet* sheet = nullptr;  // owned by book, as are the formats
  lxw_format* header = nullptr;
  lxw_format* error = nullptr;
  lxw_format* note = nullptr;
  lxw_format* date = nullptr;
  lxw_format* error_date = nullptr;
  lxw_row_t row = 0;
  std::string text;

  ~Impl() {
    if (book != nullptr) lxw_workbook_free(book);
  }

  void create(const XlsxWriterOptions& options) {
    lxw_workbook_options settings{};
    settings.constant_memory = options.constant_memory ? LXW_TRUE : LXW_FALSE;
    if (!temp_folder.empty()) settings.tmpdir = temp_folder.data();
    book = workbook_new_opt(path.c_str(), &settings);
    if (book == nullptr) return;
    header = workbook_add_format(book);
    format_set_bold(header);
    error = workbook_add_format(book);
    format_set_bg_color(error, kErrorFill);
    note = workbook_add_format(book);
    format_set_bg_color(note, kNoteFill);
    date = workbook_add_format(book);
    format_set_num_format(date, "yyyy-mm-dd");
    error_date = workbook_add_format(book);
    format_set_num_format(error_date, "yyyy-mm-dd");
    format_set_bg_color(error_date, kErrorFill);
  }

  Outcome check_cell(std::uint32_t column) const {
    if (sheet == nullptr) return Outcome::failure(OutcomeCode::kInvalid, path + ": no sheet");
    if (row >= kMaxRows || column >= LXW_COL_MAX) {
      return Outcome::failure(OutcomeCode::kLimit, path + ": beyond the sheet's last cell");
    }
    return {};
  }

  Outcome put_text(std::uint32_t column, std::string_view value, lxw_format* format,
                   CellText* altered = nullptr) {
    Outcome checked = check_cell(column);
    if (!checked.ok()) return checked;
    const CellText found = fit_cell_text(value, text);
    if (altered != nullptr) *altered = found;
    return outcome_of(
        worksheet_write_string(sheet, row, static_cast<lxw_col_t>(column), text.c_str(), format),
        path);
  }
};

XlsxWriter::XlsxWriter(std::string path, const XlsxWriterOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->path = std::move(path);
  impl_->temp_folder = options.temp_folder;
  impl_->create(options);
}

XlsxWriter::~XlsxWriter() = default;

Outcome XlsxWriter::add_sheet(const XlsxSheetLayout& layout) {
  if (impl_->book == nullptr) {
    return Outcome::failure(OutcomeCode::kInvalid, impl_->path + ": not open");
  }
  const lxw_error bad_name = workbook_validate_sheet_name(impl_->book, layout.name.c_str());
  if (bad_name != LXW_NO_ERROR) return outcome_of(bad_name, impl_->path + ", " + layout.name);
  lxw_worksheet* const sheet = workbook_add_worksheet(impl_->book, layout.name.c_str());
  if (sheet == nullptr) {
    return Outcome::failure(OutcomeCode::kIo, impl_->path + ": cannot add " + layout.name);
  }
  impl_->sheet = sheet;
  impl_->row = 0;
  for (std::size_t i = 0; i < layout.column_widths.size() && i < LXW_COL_MAX; ++i) {
    const double width = layout.column_widths[i] > 0 ? layout.column_widths[i] : kDefaultWidth;
    const auto column = static_cast<lxw_col_t>(i);
    Outcome set =
        outcome_of(worksheet_set_column(sheet, column, column, width, nullptr), impl_->path);
    if (!set.ok()) return set;
  }
  if (layout.freeze_header) worksheet_freeze_panes(sheet, 1, 0);
  return {};
}

Outcome XlsxWriter::write_header(std::span<const std::string> titles) {
  for (std::size_t i = 0; i < titles.size(); ++i) {
    Outcome put = impl_->put_text(static_cast<std::uint32_t>(i), titles[i], impl_->header);
    if (!put.ok()) return put;
  }
  return end_row();
}

Outcome XlsxWriter::write_text(std::uint32_t column, std::string_view text, CellMark mark,
                               CellText* altered) {
  lxw_format* const format = mark == CellMark::kError  ? impl_->error
                             : mark == CellMark::kNote ? impl_->note
                                                       : nullptr;
  return impl_->put_text(column, text, format, altered);
}

Outcome XlsxWriter::write_comment(std::uint32_t column, std::string_view text) {
  Outcome checked = impl_->check_cell(column);
  if (!checked.ok() || text.empty()) return checked;
  (void)fit_cell_text(text, impl_->text);
  // The library escapes control characters in cells, but not in comments.
  for (char& c : impl_->text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') c = ' ';
  }
  lxw_comment_options options{};
  options.x_scale = kCommentScale;
  return outcome_of(
      worksheet_write_comment_opt(impl_->sheet, impl_->row, static_cast<lxw_col_t>(column),
                                  impl_->text.c_str(), &options),
      impl_->path);
}

Outcome XlsxWriter::write_number(std::uint32_t column, double value, CellMark mark) {
  Outcome checked = impl_->check_cell(column);
  if (!checked.ok()) return checked;
  if (!std::isfinite(value)) {
    return Outcome::failure(OutcomeCode::kInvalid, impl_->path + ": no finite number");
  }
  lxw_format* const format = mark == CellMark::kError ? impl_->error : nullptr;
  return outcome_of(worksheet_write_number(impl_->sheet, impl_->row, static_cast<lxw_col_t>(column),
                                           value, format),
                    impl_->path);
}

Outcome XlsxWriter::write_date(std::uint32_t column, std::string_view iso_date, CellMark mark) {
  Outcome checked = impl_->check_cell(column);
  if (!checked.ok()) return checked;
  lxw_datetime date{};
  if (!parse_iso_date(iso_date, date)) {
    return Outcome::failure(OutcomeCode::kInvalid,
                            impl_->path + ": no date: " + std::string(iso_date));
  }
  lxw_format* const format = mark == CellMark::kError ? impl_->error_date : impl_->date;
  return outcome_of(worksheet_write_datetime(impl_->sheet, impl_->row,
                                             static_cast<lxw_col_t>(column), &date, format),
                    impl_->path);
}

Outcome XlsxWriter::end_row() {
  if (impl_->sheet == nullptr) {
    return Outcome::failure(OutcomeCode::kInvalid, impl_->path + ": no sheet");
  }
  if (impl_->row >= kMaxRows) {
    return Outcome::failure(OutcomeCode::kLimit, impl_->path + ": more rows than a sheet holds");
  }
  ++impl_->row;
  return {};
}

Outcome XlsxWriter::close() {
  if (impl_->book == nullptr) {
    return Outcome::failure(OutcomeCode::kInvalid, impl_->path + ": not open");
  }
  impl_->sheet = nullptr;
  return outcome_of(workbook_close(std::exchange(impl_->book, nullptr)), impl_->path);
}

}  // namespace huiliu::formats
