#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "state/generation.h"

namespace huiliu::state {

/// An entry with the shard and some bytes of its key as a number, which most comparisons end with.
struct SortedEntry {
  std::uint64_t head;
  const Entry* entry;
};

/// Entries whose keys begin with `prefix`, in the order of shards, then of their keys' bytes.
std::vector<SortedEntry> sorted_entries(const Generation& generation, std::string_view prefix = {});

}  // namespace huiliu::state
