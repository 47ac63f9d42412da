#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include <xlsxwriter.h>

#include "tools/credit_sample/row_writer.h"

namespace huiliu::tools {
namespace {

// The workbook would hold the time of writing otherwise, and differ between two runs.
constexpr std::time_t kCreated = 1'700'000'000;

bool is_amount(Field field) {
  return field == Field::kFine || field == Field::kConfiscated || field == Field::kVersion;
}

// One sheet: the headings in row 1, a record a row below. Rows go straight to the disk, so that a
// sheet of a million rows needs no memory; texts are therefore inline, not shared.
class WorkbookWriter final : public RowWriter {
 public:
  WorkbookWriter(const FileSpec& spec, const std::string& path) : spec_(spec), path_(path) {
    lxw_workbook_options options{};
    options.constant_memory = LXW_TRUE;
    workbook_ = ::workbook_new_opt(path.c_str(), &options);
    lxw_doc_properties properties{};
    properties.created = kCreated;
    check(::workbook_set_properties(workbook_, &properties));
    sheet_ = ::workbook_add_worksheet(workbook_, "数据");
    date_format_ = ::workbook_add_format(workbook_);
    ::format_set_num_format(date_format_, "yyyy/mm/dd");
    lxw_col_t column = 0;
    for (const Column& layout : spec_.columns) {
      check(::worksheet_write_string(sheet_, 0, column++, layout.heading, nullptr));
    }
  }
  WorkbookWriter(const WorkbookWriter&) = delete;
  WorkbookWriter& operator=(const WorkbookWriter&) = delete;
  ~WorkbookWriter() override {
    if (workbook_ != nullptr) ::workbook_close(workbook_);
  }

  void write(const Row& row) override {
    ++last_row_;
    lxw_col_t at = 0;
    for (const Column& column : spec_.columns) write_cell(row, column.field, at++);
  }

  void finish() override {
    lxw_workbook* workbook = workbook_;
    workbook_ = nullptr;
    check(::workbook_close(workbook));
  }

 private:
  void write_cell(const Row& row, Field field, lxw_col_t column) {
    const std::string& value = row[field];
    if (value.empty()) return;
    const bool number = row.numeric.test(static_cast<std::size_t>(field));
    if (!number && !(is_amount(field) && is_plain_number(value))) {
      check(::worksheet_write_string(sheet_, last_row_, column, value.c_str(), nullptr));
      return;
    }
    const bool date = number && field != Field::kUscc && field != Field::kPersonDocumentNo;
    check(::worksheet_write_number(sheet_, last_row_, column, std::strtod(value.c_str(), nullptr),
                                   date ? date_format_ : nullptr));
  }

  void check(lxw_error error) const {
    if (error != LXW_NO_ERROR) throw std::runtime_error(path_ + ": " + ::lxw_strerror(error));
  }

  const FileSpec& spec_;
  std::string path_;
  lxw_workbook* workbook_ = nullptr;
  lxw_worksheet* sheet_ = nullptr;
  lxw_format* date_format_ = nullptr;
  lxw_row_t last_row_ = 0;
};

}  // namespace

std::unique_ptr<RowWriter> make_workbook_writer(const FileSpec& spec, const std::string& path) {
  return std::make_unique<WorkbookWriter>(spec, path);
}

}  // namespace huiliu::tools
