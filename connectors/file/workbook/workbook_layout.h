#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codecs/delete_when.h"
#include "codecs/files/file_options.h"
#include "connectors/file/original_rows.h"
#include "runtime/component/sink.h"
#include "runtime/record/schema.h"

namespace huiliu::connectors {

/// One column of a workbook.
struct WorkbookColumn {
  static constexpr int kNoField = -1;
  std::string heading;
  int field = kNoField;  ///< of the spooled rows
  double width = 0;
  bool personal = false;  ///< holds numbers of persons' documents
};

/// What the workbooks of a sink look like.
struct WorkbookLayout {
  runtime::Schema rows;             ///< spooled rows: `fields`, the place, the record's id
  std::vector<std::string> fields;  ///< of the inputs
  std::vector<WorkbookColumn> columns;
  std::string sheet;
  std::string reason_heading;  ///< empty: no reason column
  std::string source_heading;  ///< empty: no such column
  bool chinese = true;
  std::optional<std::size_t> split_by;
  std::vector<std::size_t> key;  ///< the newest row of each counts; empty: all rows do
  codecs::DeleteWhen delete_when;
  std::shared_ptr<const codecs::FileOptions> originals;  ///< null: `columns` say what is written
  std::vector<std::string> mask;  ///< fields whose column in the file is masked
  std::int64_t every_ms = 0;

  std::size_t place() const { return fields.size(); }
  std::size_t id() const { return fields.size() + 1; }
  /// Changes when workbooks would look different.
  std::string signature() const;
};

/// Field of the spooled rows that holds where a row was read: FILE:ROW.
inline constexpr std::string_view kPlaceField = "_source";

WorkbookLayout parse_workbook_layout(const runtime::SinkDeclaration& declaration,
                                     runtime::Diagnostics& diagnostics);
std::vector<runtime::Option> workbook_options();

/// The columns of a file as it was sent; those that an earlier workbook of ours added are left out
/// and have no place in `cells_of`, which says for each column which cell it shows.
std::vector<WorkbookColumn> columns_of_file(const WorkbookLayout& layout, const OriginalRow& row,
                                            std::vector<std::size_t>& cells_of);
/// The columns that a file of this name should have, by its mapping; all headings in their order.
std::vector<WorkbookColumn> columns_of_mapping(const WorkbookLayout& layout,
                                               const std::string& file);

}  // namespace huiliu::connectors
