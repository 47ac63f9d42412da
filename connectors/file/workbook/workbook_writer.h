#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/file/workbook/workbook_faults.h"
#include "connectors/file/workbook/workbook_layout.h"
#include "formats/xlsx_writer.h"
#include "runtime/base/status.h"
#include "runtime/record/value.h"

namespace huiliu::connectors {

/// One .xlsx file being written; it appears under its name when it is whole.
class WorkbookWriter {
 public:
  WorkbookWriter(const WorkbookLayout& layout, std::string path);

  /// The columns of what follows; other ones than before start another sheet.
  runtime::Status use(const std::vector<WorkbookColumn>& columns);
  /// A row with its fields' values.
  runtime::Status add(const std::vector<runtime::Value>& row) { return put(row, nullptr); }
  /// A row with cells in place of the values, one a column or fewer.
  runtime::Status add(const std::vector<runtime::Value>& row,
                      const std::vector<std::string_view>& cells) {
    return put(row, &cells);
  }
  runtime::Status close();

 private:
  runtime::Status start_sheet();
  runtime::Status put(const std::vector<runtime::Value>& row,
                      const std::vector<std::string_view>* cells);
  runtime::Status put_cell(std::uint32_t at, std::string_view shown, bool may_need_mask,
                           const std::vector<WorkbookFault>& faults);
  std::string_view value_of(const std::vector<runtime::Value>& row, const WorkbookColumn& column,
                            const std::vector<WorkbookFault>& faults);
  std::string reason_of(const std::vector<WorkbookFault>& faults) const;
  /// Whether the fault is one of the column's.
  bool is_of(const WorkbookFault& fault, const WorkbookColumn& column) const;

  const WorkbookLayout& layout_;
  std::vector<WorkbookColumn> columns_;
  std::string path_;
  std::string temporary_;
  runtime::Status folder_;  ///< what making the folder said; close() reports it
  std::unique_ptr<formats::XlsxWriter> writer_;
  std::uint64_t rows_ = 0;  ///< of the sheet
  int sheets_ = 0;
  std::size_t comments_ = 0;
  std::string scratch_, masked_;
};

}  // namespace huiliu::connectors
