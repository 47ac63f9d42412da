#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codecs/delete_when.h"
#include "connectors/sqlite/database.h"
#include "runtime/component/config.h"
#include "runtime/record/schema.h"
#include "runtime/record/value.h"

namespace huiliu::connectors {

/// A sink's table: its columns, which fields fill them, its key.
struct TableLayout {
  std::string table;
  runtime::Schema columns;          ///< the last one is _source
  std::vector<std::string> fields;  ///< of the inputs, for all columns but the last
  std::vector<std::size_t> key;     ///< columns
  codecs::DeleteWhen delete_when;

  static TableLayout parse(const runtime::Config& config,
                           const std::vector<const runtime::Schema*>& inputs,
                           runtime::Diagnostics& diagnostics);

  /// Creates the table, or adds the columns that it lacks.
  runtime::Status create(Database& database) const;
  std::string upsert_sql() const;
  std::string delete_sql() const;
  bool is_deletion(const std::vector<runtime::Value>& row) const;
};

}  // namespace huiliu::connectors
