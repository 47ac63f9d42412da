#pragma once

#include <string>

#include "connectors/postgres/connection.h"
#include "connectors/postgres/table_layout.h"
#include "runtime/base/status.h"

namespace huiliu::connectors::postgres {

/// Whether a table that is there takes the layout's rows: its kind, its columns with their types,
/// the index of its key, the rights. kInvalid names table and column, with the remedy.
runtime::Status check_table(Connection& connection, const TableLayout& layout);

}  // namespace huiliu::connectors::postgres
