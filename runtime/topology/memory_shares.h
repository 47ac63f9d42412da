#pragma once

#include <cstdint>

#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// How `state.memory` is shared, in bytes. Where operators keep rows of tables in memory of their
/// own (TableDeclaration::cached) a quarter is theirs, each operator's alike; all the rest is the
/// tables'.
struct MemoryShares {
  std::uint64_t tables = 0;  ///< 0: as the store likes
  std::uint64_t cache = 0;   ///< of one operator with a cached table, on all its threads together
};
MemoryShares memory_shares(const Topology& topology);

}  // namespace huiliu::runtime
