#include "state/sorted_entries.h"

#include <algorithm>
#include <cstring>

#include "state/layout.h"

namespace huiliu::state {
namespace {

/// The shard and the first bytes behind `skip`, which all keys have alike.
std::uint64_t head_of(const Entry& entry, std::size_t skip) {
  char first[8] = {};
  const std::string_view key = entry.key().substr(skip);
  std::memcpy(first + 2, key.data(), std::min<std::size_t>(6, key.size()));
  first[0] = static_cast<char>(entry.shard >> 8);
  first[1] = static_cast<char>(entry.shard & 0xFF);
  return read_big_endian({first, sizeof first});
}

}  // namespace

std::vector<SortedEntry> sorted_entries(const Generation& generation, std::string_view prefix) {
  std::vector<SortedEntry> entries;
  if (prefix.empty()) entries.reserve(generation.count());
  generation.for_each([&](const Entry& entry, std::uint32_t) {
    if (!entry.key().starts_with(prefix)) return;
    entries.push_back({head_of(entry, prefix.size()), &entry});
  });
  std::sort(entries.begin(), entries.end(), [](const SortedEntry& a, const SortedEntry& b) {
    return a.head != b.head ? a.head < b.head : a.entry->key() < b.entry->key();
  });
  return entries;
}

}  // namespace huiliu::state
