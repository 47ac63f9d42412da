#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "operators/cached_counts.h"
#include "runtime/component/operator.h"

namespace huiliu::operators {

/// Counts by key of the windows that are open. Those of late are in a cache; the table gets what an
/// epoch changed when it ends, so a record costs one probe and no writing. When the cache is full,
/// what changed goes to the table and the cache begins anew: a key that is missing then is looked
/// for in the table.
class OpenWindows {
 public:
  explicit OpenWindows(std::int64_t window_ms) : window_ms_(window_ms) {}

  struct Window {
    CachedCounts counts;
    bool whole = true;  ///< no row of it is in the table alone
  };
  /// A row of a window that is closed.
  struct Row {
    std::uint16_t shard = 0;
    std::string_view key;
    std::uint64_t hash = 0;  ///< of the key
    std::int64_t count = 0;
  };

  /// Finds which windows the table has rows of; rows are read when they are needed.
  void open(state::Table& table, runtime::OperatorContext& context);
  /// The window, open from now on; valid until it is closed.
  Window& at(std::int64_t start) { return windows_[start]; }
  void count(std::int64_t start, Window& window, std::string_view key, std::uint64_t hash) {
    CachedCounts::Entry* entry = window.counts.find(key, hash);
    if (entry == nullptr) entry = &bring(start, window, key, hash);
    ++entry->count;
    entry->changed = true;
  }
  bool empty() const { return windows_.empty(); }
  std::int64_t first() const { return windows_.begin()->first; }
  /// Gives the first window's rows in the order of shards, then of keys, and forgets them.
  void close_first(const std::function<void(const Row&)>& give);
  /// Puts what changed into the table.
  void save();

 private:
  CachedCounts::Entry& bring(std::int64_t start, Window& window, std::string_view key,
                             std::uint64_t hash);
  void evict();
  void save(std::int64_t start, Window& window);
  void erase(std::uint16_t shard, std::string_view row_key);
  void give(const CachedCounts::Entry& entry, std::int64_t start,
            const std::function<void(const Row&)>& give_row);
  void merge(const std::vector<CachedCounts::Entry*>& cached, std::int64_t start,
             const std::function<void(const Row&)>& give_row);
  std::string_view row_key(std::int64_t start, std::string_view key);
  std::int64_t count_of(std::uint16_t shard, std::string_view value) const;

  std::int64_t window_ms_;
  state::Table* table_ = nullptr;
  const runtime::OperatorContext* context_ = nullptr;
  std::uint64_t most_bytes_ = 0;
  std::uint64_t bytes_ = 0;  // of all windows' counts
  std::map<std::int64_t, Window> windows_;
  std::string row_key_;
};

}  // namespace huiliu::operators
