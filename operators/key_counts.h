#pragma once

#include <cstdint>
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
  };

  /// The key's entry, made if absent; valid until the next call.
  Entry& at(std::string_view key, std::uint64_t hash);
  std::vector<Entry>& entries() { return entries_; }
  bool empty() const { return entries_.empty(); }
  void clear();
  /// Entries in the order of their keys' bytes. Entries move: the table must be cleared next.
  std::vector<Entry> take_sorted();

 private:
  void grow();

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // index + 1, 0 = free
};

/// Puts the fields of a key that KeyBuilder wrote into slots; the text views `key`.
void decode_key(std::string_view key, const std::vector<runtime::Type>& types,
                runtime::Value* slots);

}  // namespace huiliu::operators
