#include "connectors/sqlite/table_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/row_encoder.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Schema;
using runtime::Status;
using runtime::Type;

namespace {

constexpr std::string_view kSource = "_source";
constexpr std::string_view kPosition = "_position";

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string_view sql_type(Type type) {
  switch (type) {
    case Type::kBool:
    case Type::kInt64:
    case Type::kTimestamp:
      return "INTEGER";
    case Type::kFloat64:
      return "REAL";
    case Type::kBytes:
      return "BLOB";
    default:
      return "TEXT";
  }
}

Type type_of(const std::string& field, const std::vector<const Schema*>& inputs) {
  for (const Schema* input : inputs) {
    if (const auto index = input->index_of(field)) return (*input)[*index].type;
  }
  return Type::kString;
}

void check_types(const std::string& field, Type type, const Config& config,
                 const std::vector<const Schema*>& inputs, Diagnostics& diagnostics) {
  for (const Schema* input : inputs) {
    const auto index = input->index_of(field);
    if (index && (*input)[*index].type != type) {
      diagnostics.error(config.place(),
                        "field '" + field + "' has different types in the input streams");
    }
  }
}

std::optional<std::size_t> column(const Config& at, const std::string& name, const Schema& columns,
                                  Diagnostics& diagnostics) {
  const auto index = columns.index_of(name);
  if (index) return index;
  std::vector<std::string> names;
  for (const runtime::Field& field : columns.fields()) names.push_back(field.name);
  diagnostics.error(at.place(), "the table has no column '" + name + "'",
                    runtime::nearest_hint(name, names));
  return std::nullopt;
}

template <class Items, class Text>
std::string joined(const Items& items, Text text, std::string_view between = ", ") {
  std::string result;
  for (const auto& item : items) {
    if (!result.empty()) result += between;
    result += text(item);
  }
  return result;
}

}  // namespace

TableLayout TableLayout::parse(const Config& config, const std::vector<const Schema*>& inputs,
                               Diagnostics& diagnostics) {
  TableLayout layout;
  layout.table = config["table"].text();
  for (const codecs::OutputColumn& output :
       codecs::parse_columns(config["fields"], inputs, diagnostics)) {
    const Type type = type_of(output.field, inputs);
    check_types(output.field, type, config, inputs, diagnostics);
    if (layout.columns.index_of(output.name) || output.name == kSource ||
        output.name == kPosition) {
      diagnostics.error(config.place(), "column '" + output.name + "' cannot be used twice");
      continue;
    }
    layout.columns.add(output.name, type);
    layout.fields.push_back(output.field);
  }
  layout.columns.add(kSource, Type::kString);
  if (config.has("key")) {
    for (const std::string& name : config["key"].as_strings()) {
      const auto index = column(config["key"], name, layout.columns, diagnostics);
      if (index) layout.key.push_back(*index);
    }
  }
  layout.delete_when =
      codecs::DeleteWhen::parse(config["delete_when"], layout.columns, diagnostics);
  if (!layout.delete_when.empty() && layout.key.empty()) {
    diagnostics.error(config["delete_when"].place(), "`delete_when` needs a `key`");
  }
  return layout;
}

Status TableLayout::create(Database& database) const {
  std::string sql = "CREATE TABLE IF NOT EXISTS " + quoted(table) + "(";
  for (std::size_t i = 0; i < columns.width(); ++i) {
    const bool in_key = std::find(key.begin(), key.end(), i) != key.end();
    sql += fmt::format("{}{} {}{}", i == 0 ? "" : ", ", quoted(columns[i].name),
                       sql_type(columns[i].type), in_key ? " NOT NULL" : "");
  }
  if (key.empty()) {
    sql += fmt::format(", {} INTEGER PRIMARY KEY)", kPosition);
  } else {
    sql += ", PRIMARY KEY(" + joined(key, [&](std::size_t i) { return quoted(columns[i].name); }) +
           "))";
  }
  if (Status status = database.run(sql); !status.is_ok()) return status;
  std::vector<std::string> present;
  if (Status status = database.columns_of(table, present); !status.is_ok()) return status;
  const auto has = [&present](std::string_view name) {
    return std::find(present.begin(), present.end(), name) != present.end();
  };
  // A primary key cannot be added to a table that somebody else has made.
  if (key.empty() && !has(kPosition)) {
    return Status::invalid(fmt::format(
        "the table '{0}' is there already and has no column '{1}', by which rows without a key are "
        "told apart. Give the sink a `key` of fields that are the table's primary key, name a new "
        "`table`, or make this one anew with `{1} INTEGER PRIMARY KEY`",
        table, kPosition));
  }
  for (const runtime::Field& field : columns.fields()) {
    if (has(field.name)) continue;
    Status status = database.run(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", quoted(table),
                                             quoted(field.name), sql_type(field.type)));
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

std::string TableLayout::upsert_sql() const {
  std::string names =
      joined(columns.fields(), [](const runtime::Field& field) { return quoted(field.name); });
  std::string marks = joined(columns.fields(), [](const runtime::Field&) { return "?"; });
  if (key.empty()) {
    return fmt::format("INSERT INTO {}({}, {}) VALUES({}, ?) ON CONFLICT({}) DO NOTHING",
                       quoted(table), names, kPosition, marks, kPosition);
  }
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < columns.width(); ++i) {
    if (std::find(key.begin(), key.end(), i) == key.end()) rest.push_back(columns[i].name);
  }
  return fmt::format(
      "INSERT INTO {}({}) VALUES({}) ON CONFLICT({}) DO UPDATE SET {}", quoted(table), names, marks,
      joined(key, [&](std::size_t i) { return quoted(columns[i].name); }),
      joined(rest,
             [](const std::string& name) { return quoted(name) + " = excluded." + quoted(name); }));
}

std::string TableLayout::delete_sql() const {
  return fmt::format(
      "DELETE FROM {} WHERE {}", quoted(table),
      joined(
          key, [&](std::size_t i) { return quoted(columns[i].name) + " = ?"; }, " AND "));
}

bool TableLayout::is_deletion(const std::vector<runtime::Value>& row) const {
  return delete_when.holds(row.data());
}

}  // namespace huiliu::connectors
