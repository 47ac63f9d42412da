#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/config.h"

namespace huiliu::service {

/// What departments call the fields: the `headings` table of a `validate` node.
class Headings {
 public:
  Headings() = default;
  /// Of the node's config; without `headings` fields have their own names.
  explicit Headings(const runtime::Config& node);

  /// "行政许可决定文书号", several with / between; empty if there is none.
  std::string text(std::string_view field, const std::vector<std::string>& kinds) const;
  /// "行政许可决定文书号 `document_no`"; `kinds` chooses among several, empty: the one for all.
  std::string name(std::string_view field, const std::vector<std::string>& kinds) const;
  /// The field that chooses.
  const std::string& by() const { return by_; }

 private:
  struct Row {
    std::string field, heading, department;
  };
  std::vector<std::string> find(std::string_view field, std::string_view department) const;

  std::vector<Row> rows_;
  std::string by_;
};

}  // namespace huiliu::service
