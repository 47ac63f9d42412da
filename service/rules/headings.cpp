#include "service/rules/headings.h"

#include <algorithm>

#include <fmt/format.h>

#include "operators/field_names.h"
#include "service/rules/table_file.h"

namespace huiliu::service {

Headings::Headings(const runtime::Config& node) {
  const runtime::Config& headings = node["headings"];
  if (!headings.is_map()) return;
  by_ = headings.string_or("by", "");
  const TableFile table = TableFile::read(operators::resolve_path(headings["table"]));
  for (const auto& row : table.rows) {
    rows_.push_back({std::string(table.cell(row, "from")), std::string(table.cell(row, "to")),
                     std::string(table.cell(row, "department"))});
  }
}

std::vector<std::string> Headings::find(std::string_view field, std::string_view department) const {
  std::vector<std::string> found;
  for (const Row& row : rows_) {
    if (row.field == field && row.department == department) found.push_back(row.heading);
  }
  return found;
}

std::string Headings::text(std::string_view field, const std::vector<std::string>& kinds) const {
  std::vector<std::string> names;
  for (const std::string& kind : kinds) {
    for (std::string& heading : find(field, kind)) names.push_back(std::move(heading));
  }
  if (names.empty()) names = find(field, "");
  if (names.empty()) {
    for (const Row& row : rows_) {
      if (row.field == field) names.push_back(row.heading);
    }
  }
  std::vector<std::string> distinct;
  for (std::string& name : names) {
    if (std::find(distinct.begin(), distinct.end(), name) == distinct.end()) {
      distinct.push_back(std::move(name));
    }
  }
  return fmt::format("{}", fmt::join(distinct, "/"));
}

std::string Headings::name(std::string_view field, const std::vector<std::string>& kinds) const {
  const std::string heading = text(field, kinds);
  if (heading.empty()) return fmt::format("`{}`", field);
  return fmt::format("{} `{}`", heading, field);
}

}  // namespace huiliu::service
