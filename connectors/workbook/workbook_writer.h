#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/file/delete_when.h"
#include "formats/xlsx_writer.h"
#include "runtime/schema.h"
#include "runtime/status.h"
#include "runtime/value.h"

namespace huiliu::connectors {

struct WorkbookColumn {
  std::string heading;
  std::size_t field = 0;  ///< of the spooled rows
  double width = 0;
};

/// What the workbooks of a sink look like.
struct WorkbookLayout {
  runtime::Schema rows;  ///< spooled rows; the last field is where the row was read
  std::vector<std::string> fields;
  std::vector<WorkbookColumn> columns;
  std::string sheet;
  std::string reason_heading;  ///< empty: no reason column
  std::string source_heading;  ///< empty: no such column
  bool chinese = true;
  std::optional<std::size_t> split_by;
  std::vector<std::size_t> key;  ///< the newest row of each counts; empty: all rows do
  DeleteWhen delete_when;
};

/// One .xlsx file being written; it appears under its name when it is whole.
class WorkbookWriter {
 public:
  WorkbookWriter(const WorkbookLayout& layout, std::string path);
  runtime::Status add(const std::vector<runtime::Value>& row);
  runtime::Status close();

 private:
  runtime::Status start_sheet();
  std::string reason_of(const std::vector<runtime::Value>& row) const;
  std::string_view text(const std::vector<runtime::Value>& row, std::string_view field) const;

  const WorkbookLayout& layout_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<formats::XlsxWriter> writer_;
  std::uint64_t rows_ = 0;
  int sheets_ = 0;
  std::string scratch_;
};

}  // namespace huiliu::connectors
