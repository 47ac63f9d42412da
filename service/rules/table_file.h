#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace huiliu::service {

/// A CSV table as people read it: the comment at its head, which says where it comes from, and the
/// cells. What is wrong with a table is said by those that judge by it.
struct TableFile {
  std::vector<std::string> head;  ///< comment lines before the columns, without their #
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  /// Empty if the file cannot be read.
  static TableFile read(const std::string& path);

  /// Empty if there is no such column.
  std::string_view cell(const std::vector<std::string>& row, std::string_view column) const;
  bool has(std::string_view column) const;
  /// The least and the greatest day of a column, without empty cells; empty if there is none.
  std::string_view first(std::string_view column) const;
  std::string_view last(std::string_view column) const;
  /// What the comment "key: value" says; empty without one.
  std::string_view comment(std::string_view key) const;
};

}  // namespace huiliu::service
