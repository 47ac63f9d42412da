#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/record/record.h"
#include "runtime/record/schema.h"

namespace huiliu::operators {

/// Counts by key, in memory: open addressing by the hash that the engine has computed already.
class KeyCounts {
 public:
  struct Entry {
    std::string key;  ///< as KeyBuilder writes it
    std::uint64_t hash = 0;
    std::int64_t count = 0;
    std::int64_t sum = 0;
    double real_sum = 0;
    std::vector<std::int64_t> tallies;  ///< counts of those that satisfy a condition
    bool changed = false;
    std::uint16_t shard = 0;  ///< known of those that were taken
  };

  /// The key's entry, made if absent; valid until the next call.
  Entry& at(std::string_view key, std::uint64_t hash);
  std::vector<Entry>& entries() { return entries_; }
  bool empty() const { return entries_.empty(); }
  void clear();
  /// Entries in the order of shards, then of their keys' bytes; none are left.
  std::vector<Entry> take_sorted(const std::function<std::uint16_t(std::uint64_t hash)>& shard_of);

 private:
  void grow();

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index + 1, 0 = free
};

/// Puts the fields of a key that KeyBuilder wrote into slots; the text views `key`.
void decode_key(std::string_view key, const std::vector<runtime::Type>& types,
                runtime::Value* slots);

}  // namespace huiliu::operators
