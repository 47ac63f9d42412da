#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codecs/delete_when.h"
#include "runtime/component/config.h"
#include "runtime/record/schema.h"

namespace huiliu::connectors::postgres {

/// "name", with what is in it doubled where SQL wants it.
std::string quoted(std::string_view name);
/// 'text', for where no parameter can stand.
std::string literal(std::string_view text);

/// [SCHEMA.]TABLE.
struct TableName {
  std::string schema, table;
  /// `table`; the schema is `public` by default. What is no name in PostgreSQL becomes diagnostics.
  static TableName parse(const runtime::Config& config, runtime::Diagnostics& diagnostics);
  std::string name() const { return schema + "." + table; }  ///< for messages
  std::string quoted_name() const { return quoted(schema) + "." + quoted(table); }
};

/// A sink's table: its columns, which fields fill them, its key.
struct TableLayout : TableName {
  runtime::Schema columns;          ///< those of the key first
  std::vector<std::string> fields;  ///< of the inputs, for the columns
  std::size_t key = 0;              ///< how many columns it has; 0: rows are appended

  /// `table: [SCHEMA.]TABLE`, `fields`, `key`.
  static TableLayout parse(const runtime::Config& config,
                           const std::vector<const runtime::Schema*>& inputs,
                           runtime::Diagnostics& diagnostics);

  std::string create_sql() const;
  std::string copy_sql() const;
  /// Parameters are arrays, one a column.
  std::string upsert_sql() const;
  /// The same of the key's columns.
  std::string delete_sql() const;
};

/// The table in the same schema that holds how far sinks are.
std::string positions_name(const std::string& schema);
std::string create_positions_sql(const std::string& schema);
inline constexpr std::string_view kPositionsTable = "huiliu_positions";
/// The comments of both tables begin with it: a later version finds its own mark.
inline constexpr std::string_view kTableMark = "huiliu 1";

}  // namespace huiliu::connectors::postgres
