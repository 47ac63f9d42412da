#pragma once

#include <cstdint>
#include <string>

#include "connectors/postgres/connection.h"
#include "connectors/postgres/table_layout.h"
#include "runtime/base/status.h"

namespace huiliu::connectors::postgres {

/// Whose position it is.
struct Owner {
  std::string topology, sink;
};

/// Makes ready what a sink writes into: looks whether the tables fit, makes them if `create`, and
/// notes which table the sink writes, so that two writers of one that has no key are found. All in
/// one transaction, one sink of a schema at a time. kInvalid names table and column with the
/// remedy.
runtime::Status set_up(Connection& connection, const TableLayout& layout, const Owner& owner,
                       bool create);

/// How far the sink is in the table of positions.
runtime::Result<std::uint64_t> read_position(Connection& connection, const TableLayout& layout,
                                             const Owner& owner);
/// Within a transaction: goes on from `from` to `to`; `moved` is false if the store is elsewhere.
runtime::Status move_position(Connection& connection, const TableLayout& layout, const Owner& owner,
                              std::uint64_t from, std::uint64_t to, bool& moved);

}  // namespace huiliu::connectors::postgres
