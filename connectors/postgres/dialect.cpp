#include "connectors/postgres/dialect.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "connectors/postgres/table_layout.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::postgres {

Dialect::Dialect(const TableSourceOptions& options, std::map<std::string, std::string> types)
    : options_(options), types_(std::move(types)), from_(options.quoted_name()) {
  const std::size_t width = options.columns.width();
  extras_ = {width, width + 1, width + 2, width + 3, width};
}

std::string Dialect::column(const std::string& name) const { return "t." + quoted(name); }

std::string Dialect::parameter(std::size_t number, const std::string& type_of) const {
  return fmt::format("${}::{}", number, types_.at(type_of));
}

std::vector<std::string> Dialect::ordered_columns() const {
  std::vector<std::string> names;
  if (options_.mode == ReadMode::kIncrement) names.push_back(options_.increment);
  for (const std::size_t index : options_.key) names.push_back(options_.columns[index].name);
  return names;
}

std::string Dialect::order() const {
  std::vector<std::string> columns;
  for (const std::string& name : ordered_columns()) columns.push_back(column(name));
  return fmt::format("{}", fmt::join(columns, ", "));
}

// The row at the place itself comes too: so two rows of one key are seen.
std::string Dialect::place_condition(std::size_t first_parameter) const {
  std::vector<std::string> values;
  for (const std::string& name : ordered_columns()) {
    values.push_back(parameter(first_parameter + values.size(), name));
  }
  return fmt::format("({}) >= ({})", order(), fmt::join(values, ", "));
}

std::string Dialect::version(const std::string& of) const {
  std::vector<std::string> columns;
  for (const runtime::Field& field : options_.columns.fields()) {
    columns.push_back(of + "." + quoted(field.name));
  }
  return fmt::format("md5(ROW({})::text)", fmt::join(columns, ", "));
}

std::string Dialect::page(bool has_mark, bool has_place) const {
  std::vector<std::string> selected, conditions;
  for (const runtime::Field& field : options_.columns.fields()) {
    selected.push_back(column(field.name) + "::text");
  }
  std::size_t parameters = 0;
  if (options_.mode == ReadMode::kIncrement) {
    const std::string stamp = column(options_.increment);
    // A clock that is ahead must not move the mark beyond what others still write.
    const std::string bounded =
        options_.overlap_is_time
            ? fmt::format("least({}, now()::{})", stamp, types_.at(options_.increment))
            : stamp;
    selected.push_back(stamp + "::text");
    selected.push_back(fmt::format("({})::text", bounded));
    conditions.push_back(stamp + " IS NOT NULL");
    if (has_mark) {
      const std::string mark = parameter(++parameters, options_.increment);
      selected.push_back(fmt::format("({} > {})::text", bounded, mark));
      if (!has_place) {
        conditions.push_back(fmt::format("{} >= {} - ${}::{}", stamp, mark, ++parameters,
                                         options_.overlap_is_time ? "interval" : "bigint"));
      }
    } else {
      selected.emplace_back("'true'");
    }
    const std::string less = options_.overlap_is_time ? fmt::format("interval '{}'", overlap())
                                                      : fmt::format("{}::bigint", overlap());
    selected.push_back(
        fmt::format("({} - {})::{}::text", bounded, less, types_.at(options_.increment)));
  } else if (options_.mode == ReadMode::kFlag) {
    selected.push_back(version("t"));
    conditions.push_back(
        fmt::format("{} = {}", column(options_.flag), parameter(++parameters, options_.flag)));
  }
  if (has_place) conditions.push_back(place_condition(parameters + 1));
  return fmt::format("SELECT {} FROM {} t{}{} ORDER BY {} LIMIT {}", fmt::join(selected, ", "),
                     from_, conditions.empty() ? "" : " WHERE ", fmt::join(conditions, " AND "),
                     order(), options_.page_rows + 1);
}

std::string Dialect::unreadable() const {
  std::vector<std::string> nulls;
  for (const std::string& name : ordered_columns()) nulls.push_back(column(name) + " IS NULL");
  return fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} t WHERE {} LIMIT 1001) c", from_,
                     fmt::join(nulls, " OR "));
}

std::string Dialect::write_back() const {
  std::vector<std::string> arrays, same;
  for (std::size_t i = 0; i < options_.key.size(); ++i) {
    const std::string& name = options_.columns[options_.key[i]].name;
    arrays.push_back(fmt::format("unnest(${}::text[]) AS k{}", i + 3, i));
    same.push_back(fmt::format("{} = g.k{}::{}", column(name), i, types_.at(name)));
  }
  arrays.push_back(fmt::format("unnest(${}::text[]) AS v", options_.key.size() + 3));
  return fmt::format("UPDATE {} t SET {} = {} FROM (SELECT {}) g WHERE {} AND {} = {} AND {} = g.v",
                     from_, quoted(options_.flag), parameter(1, options_.flag),
                     fmt::join(arrays, ", "), fmt::join(same, " AND "), column(options_.flag),
                     parameter(2, options_.flag), version("t"));
}

// Times are written alike in a session, so that their texts are in their order.
bool Dialect::is_before(const std::string& one, const std::string& other) const {
  if (options_.overlap_is_time) return one < other;
  return std::strtoll(one.c_str(), nullptr, 10) < std::strtoll(other.c_str(), nullptr, 10);
}

std::string Dialect::overlap() const {
  if (runtime::mutant("postgres.no_overlap")) return "0";
  return options_.overlap_is_time ? fmt::format("{} milliseconds", options_.overlap)
                                  : std::to_string(options_.overlap);
}

std::string Dialect::array(const std::vector<std::string>& texts) {
  std::string result = "{";
  for (const std::string& text : texts) {
    if (result.size() > 1) result += ',';
    result += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
    result += '"';
  }
  return result + "}";
}

}  // namespace huiliu::connectors::postgres
