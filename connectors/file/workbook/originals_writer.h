#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/file/original_rows.h"
#include "connectors/file/workbook/workbook_layout.h"
#include "connectors/file/workbook/workbook_writer.h"
#include "runtime/base/status.h"
#include "runtime/record/value.h"

namespace huiliu::connectors {

/// A spooled row, and where it was read.
struct WorkbookRow {
  std::string_view bytes;
  std::string file;
  std::uint64_t row = 0;
  std::uint64_t id = 0;
};

/// Writes one workbook with the columns of the files that its rows come from.
class OriginalsWriter {
 public:
  OriginalsWriter(const WorkbookLayout& layout, std::string base_folder, const std::string& path)
      : layout_(layout), base_folder_(std::move(base_folder)), writer_(layout, path) {}

  runtime::Status write(std::vector<WorkbookRow> rows);

 private:
  void write_file(std::vector<WorkbookRow> rows);

  void take(const OriginalRow& original);

  /// A row that the file does not have (any more) stands behind the others, under the file's
  /// headings or those that it should have.
  void put(const WorkbookRow& row, const std::vector<std::string_view>* cells);

  const WorkbookLayout& layout_;
  std::string base_folder_;
  WorkbookWriter writer_;
  runtime::Status status_;
  std::vector<WorkbookRow> rows_;
  std::size_t next_ = 0;
  std::vector<std::size_t> absent_;
  std::vector<WorkbookColumn> columns_;
  const std::vector<std::string>* headings_ = nullptr;  ///< that columns_ are of
  std::size_t known_headings_ = 0;
  std::vector<std::size_t> cells_of_;
  std::vector<std::string_view> cells_;
  std::vector<runtime::Value> values_;
};

}  // namespace huiliu::connectors
