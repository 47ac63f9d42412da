#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/file/workbook/workbook_layout.h"
#include "runtime/base/status.h"
#include "runtime/record/value.h"

namespace huiliu::connectors {

/// Which rows of the spool each workbook has. Knows the rows by their offsets only.
class WorkbookParts {
 public:
  struct Part {
    std::string name;                 ///< for the path
    std::vector<std::uint64_t> rows;  ///< offsets in the spool, in its order
    bool dirty = false;               ///< the workbook does not show it yet
  };

  explicit WorkbookParts(const WorkbookLayout& layout) : layout_(layout) {}

  /// Takes the rows behind those that are known. Workbooks with rows from `shown` on are dirty.
  runtime::Status scan(std::string_view spool, std::uint64_t shown);
  std::vector<Part>& parts() { return parts_; }
  /// Whether the row is the newest of its key and no deletion.
  bool counts(std::uint64_t offset, const std::vector<runtime::Value>& row);

 private:
  std::string key_of(const std::vector<runtime::Value>& row);
  std::string value_of(const std::vector<runtime::Value>& row);
  std::size_t part_of(const std::vector<runtime::Value>& row);
  std::string free_name(const std::string& value);

  struct Newest {
    std::uint64_t offset = 0;
    std::size_t part = 0;
  };
  const WorkbookLayout& layout_;
  std::vector<Part> parts_;
  std::unordered_map<std::string, std::size_t> by_value_;
  std::set<std::string> names_;
  std::unordered_map<std::string, Newest> newest_;
  std::uint64_t scanned_ = 0;
  std::vector<runtime::Value> row_;
  std::string scratch_;
};

/// The name of the workbook for a value of `split_by`, before others are looked at: without what
/// paths cannot have, without .xlsx at its end, at most 150 bytes.
std::string workbook_name(std::string_view value);

}  // namespace huiliu::connectors
