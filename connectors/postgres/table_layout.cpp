#include "connectors/postgres/table_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/row_encoder.h"
#include "connectors/postgres/binary_row.h"

namespace huiliu::connectors::postgres {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Schema;
using runtime::Type;

namespace {

/// PostgreSQL cuts longer names off, and two could become one.
constexpr std::size_t kMostNameBytes = 63;
constexpr std::size_t kMostColumns = 1600;

std::string doubled(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote) result += c;
    result += c;
  }
  return result + quote;
}

template <class Text>
std::string joined(std::size_t from, std::size_t to, Text text, std::string_view between = ", ") {
  std::string result;
  for (std::size_t i = from; i < to; ++i) {
    if (i > from) result += between;
    result += text(i);
  }
  return result;
}

void check_name(const Config& at, const std::string& name, Diagnostics& diagnostics) {
  if (!name.empty() && name.size() <= kMostNameBytes && name.find('\0') == std::string::npos)
    return;
  diagnostics.error(at.place(), fmt::format("'{}' is no name in PostgreSQL", name),
                    fmt::format("1 to {} bytes", kMostNameBytes));
}

class LayoutParser {
 public:
  LayoutParser(const Config& config, const std::vector<const Schema*>& inputs,
               Diagnostics& diagnostics)
      : config_(config), inputs_(inputs), diagnostics_(diagnostics) {}

  TableLayout parse() {
    parse_name();
    const auto outputs = codecs::parse_columns(config_["fields"], inputs_, diagnostics_);
    std::vector<std::string> names, key;
    for (const codecs::OutputColumn& output : outputs) names.push_back(output.name);
    if (config_.has("key")) key = config_["key"].as_strings();
    for (const std::string& name : key) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        fail(config_["key"], "the table has no column '" + name + "'",
             runtime::nearest_hint(name, names));
      } else {
        add(outputs[static_cast<std::size_t>(found - names.begin())], true);
      }
    }
    layout_.key = layout_.columns.width();
    for (const codecs::OutputColumn& output : outputs) {
      if (std::find(key.begin(), key.end(), output.name) == key.end()) add(output, false);
    }
    if (layout_.columns.width() > kMostColumns) {
      fail(config_, fmt::format("a table of PostgreSQL has at most {} columns", kMostColumns));
    }
    return std::move(layout_);
  }

 private:
  void fail(const Config& at, const std::string& message, const std::string& hint = "") {
    diagnostics_.error(at.place(), message, hint);
  }

  void parse_name() {
    static_cast<TableName&>(layout_) = TableName::parse(config_, diagnostics_);
    if (layout_.table == kPositionsTable) {
      fail(config_["table"],
           fmt::format("'{}' is where sinks keep their positions", config_["table"].text()));
    }
  }

  void add(const codecs::OutputColumn& output, bool in_key) {
    const Config& at = in_key                  ? config_["key"]
                       : config_.has("fields") ? config_["fields"]
                                               : config_;
    check_name(at, output.name, diagnostics_);
    if (output.absent) {
      fail(at, fmt::format("column '{}': `default` is not for tables", output.name),
           "null is stored as null; give the column a default in a view, or set the field before");
    }
    if (layout_.columns.index_of(output.name)) {
      return fail(at, "column '" + output.name + "' cannot be used twice");
    }
    const Type type = type_of(output.field, at);
    if (in_key && (type == Type::kFloat64 || type == Type::kJson)) {
      fail(at,
           fmt::format("'{}' is {}, by which rows cannot be told apart", output.name,
                       runtime::type_name(type)),
           "a key is made of text, whole numbers, booleans, times and dates");
    }
    layout_.columns.add(output.name, type);
    layout_.fields.push_back(output.field);
  }

  Type type_of(const std::string& field, const Config& at) {
    std::optional<Type> type;
    for (const Schema* input : inputs_) {
      const auto index = input->index_of(field);
      if (!index) continue;
      if (type && *type != (*input)[*index].type) {
        fail(at, "field '" + field + "' has different types in the input streams");
      }
      type = (*input)[*index].type;
    }
    return type.value_or(Type::kString);
  }

  const Config& config_;
  const std::vector<const Schema*>& inputs_;
  Diagnostics& diagnostics_;
  TableLayout layout_;
};

}  // namespace

std::string quoted(std::string_view name) { return doubled(name, '"'); }

std::string literal(std::string_view text) {
  // Without E a backslash could have a meaning of its own, by a setting of the server.
  const bool escaped = text.find('\\') != std::string_view::npos;
  if (!escaped) return doubled(text, '\'');
  std::string twice;
  for (const char c : text) twice.append(c == '\\' ? 2 : 1, c);
  return "E" + doubled(twice, '\'');
}

TableName TableName::parse(const Config& config, Diagnostics& diagnostics) {
  const std::string& text = config["table"].text();
  const std::size_t dot = text.find('.');
  const TableName name{dot == std::string::npos ? "public" : text.substr(0, dot),
                       dot == std::string::npos ? text : text.substr(dot + 1)};
  check_name(config["table"], name.schema, diagnostics);
  check_name(config["table"], name.table, diagnostics);
  return name;
}

TableLayout TableLayout::parse(const Config& config, const std::vector<const Schema*>& inputs,
                               Diagnostics& diagnostics) {
  return LayoutParser(config, inputs, diagnostics).parse();
}

std::string TableLayout::create_sql() const {
  const auto column = [this](std::size_t i) {
    return fmt::format("{} {}{}", quoted(columns[i].name), column_type(columns[i].type).name,
                       i < key ? " NOT NULL" : "");
  };
  const auto name = [this](std::size_t i) { return quoted(columns[i].name); };
  std::string sql = "CREATE TABLE " + quoted_name() + "(" + joined(0, columns.width(), column);
  if (key > 0) sql += ", PRIMARY KEY(" + joined(0, key, name) + ")";
  return sql + ")";
}

std::string TableLayout::copy_sql() const {
  const auto name = [this](std::size_t i) { return quoted(columns[i].name); };
  return fmt::format("COPY {}({}) FROM STDIN (FORMAT binary)", quoted_name(),
                     joined(0, columns.width(), name));
}

std::string TableLayout::upsert_sql() const {
  const auto name = [this](std::size_t i) { return quoted(columns[i].name); };
  const auto array = [this](std::size_t i) {
    return fmt::format("${}::{}[]", i + 1, column_type(columns[i].type).name);
  };
  const auto set = [&](std::size_t i) { return name(i) + " = excluded." + name(i); };
  const std::string action = key == columns.width()
                                 ? std::string("NOTHING")
                                 : "UPDATE SET " + joined(key, columns.width(), set);
  return fmt::format("INSERT INTO {}({}) SELECT * FROM unnest({}) ON CONFLICT({}) DO {}",
                     quoted_name(), joined(0, columns.width(), name),
                     joined(0, columns.width(), array), joined(0, key, name), action);
}

std::string TableLayout::delete_sql() const {
  const auto array = [this](std::size_t i) {
    return fmt::format("${}::{}[]", i + 1, column_type(columns[i].type).name);
  };
  const auto alias = [](std::size_t i) { return fmt::format("key{}", i); };
  const auto same = [this](std::size_t i) {
    return fmt::format("kept.{} = gone.key{}", quoted(columns[i].name), i);
  };
  return fmt::format("DELETE FROM {} AS kept USING unnest({}) AS gone({}) WHERE {}", quoted_name(),
                     joined(0, key, array), joined(0, key, alias), joined(0, key, same, " AND "));
}

std::string positions_name(const std::string& schema) {
  return quoted(schema) + "." + quoted(kPositionsTable);
}

std::string create_positions_sql(const std::string& schema) {
  return fmt::format(
      "CREATE TABLE {}(topology text NOT NULL, sink text NOT NULL, position bigint NOT NULL, "
      "target text NOT NULL, keyed boolean NOT NULL, PRIMARY KEY(topology, sink))",
      positions_name(schema));
}

}  // namespace huiliu::connectors::postgres
