#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/cached_counts.h"
#include "runtime/component/operator.h"
#include "state/table_scan.h"

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
    std::int64_t start = 0;  ///< of the window
    std::uint16_t shard = 0;
    std::string_view key;
    std::uint64_t hash = 0;  ///< of the key
    std::int64_t count = 0;
  };
  using Give = std::function<void(const Row&)>;

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
  /// Closes the windows that start no later; false if there are none.
  bool close_to(std::int64_t start);
  /// Gives rows of closed windows, and forgets them: by window, then shard, then key, at most
  /// `most` of each shard. What is left comes with the next calls.
  void give_closed(std::size_t most, const Give& give);
  /// Start of the first window that is closed and not given whole; kEndOfTime if there is none.
  std::int64_t first_closed() const;
  /// Puts what changed into the table.
  void save();

 private:
  using Entries = std::vector<CachedCounts::Entry*>;
  /// A closed window of which rows are left to be given.
  struct Closed {
    std::map<std::int64_t, Window>::node_type node;
    Entries sorted;  ///< by shard, then key
    struct Shard {
      std::uint16_t shard = 0;
      std::size_t next = 0, end = 0;  ///< of `sorted`
      std::string behind;             ///< key of the table's row that was given last
    };
    std::vector<Shard> shards;  ///< that have rows left, ascending
    /// Until the epoch ends, since it keeps what it sees in memory.
    std::optional<state::TableScan> scan;
  };

  void add_shards(Closed& closed) const;
  void give_window(Closed& closed, std::map<std::uint16_t, std::size_t>& left, const Give& give);
  bool give_shard(Closed& closed, Closed::Shard& shard, std::size_t& left, const Give& give);
  CachedCounts::Entry& bring(std::int64_t start, Window& window, std::string_view key,
                             std::uint64_t hash);
  void evict();
  void save(std::int64_t start, Window& window);
  void erase(std::uint16_t shard, std::string_view row_key);
  void give_cached(CachedCounts::Entry& entry, std::int64_t start, const Give& give);
  std::string_view row_key(std::int64_t start, std::string_view key);
  std::int64_t count_of(std::uint16_t shard, std::string_view value) const;

  std::int64_t window_ms_;
  state::Table* table_ = nullptr;
  const runtime::OperatorContext* context_ = nullptr;
  std::uint64_t most_bytes_ = 0;
  std::uint64_t bytes_ = 0;         // of all open windows' counts
  std::uint64_t closed_bytes_ = 0;  // of closed ones'
  std::map<std::int64_t, Window> windows_;
  std::deque<Closed> closed_;
  std::string row_key_;
};

}  // namespace huiliu::operators
