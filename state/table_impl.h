#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "state/filter.h"
#include "state/generation.h"
#include "state/table.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
}  // namespace rocksdb

namespace huiliu::state {

/// A full generation on its way into RocksDB. The owner thread and the flusher both read it.
struct Frozen {
  std::shared_ptr<const Generation> entries;
  std::uint64_t epoch = 0;  ///< latest epoch in it
  std::string table;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  std::vector<std::uint16_t> shards;
  bool logged = true;  ///< the changelog has its rows until they are written
  std::atomic<bool> done{false};
};

/// How a part of a table is used. Its owner counts, anybody reads.
struct TableUse {
  using Count = std::atomic<std::uint64_t>;
  Count from_memory{0};   ///< lookups that found a key in memory
  Count known_absent{0};  ///< lookups of which the filter knew that the key is not on disk
  Count from_disk{0};     ///< lookups that asked RocksDB
  Count flushes{0};       ///< generations handed over to be written
  // As of the last change of many.
  Count rows{0};   ///< in memory
  Count bytes{0};  ///< of the rows in memory
  Count filter_bytes{0};

  /// Nobody else writes, so that no bus needs to be locked.
  static void add(Count& count) {
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

struct Table::Impl {
  std::string name;
  std::vector<std::uint16_t> shards;
  rocksdb::DB* db = nullptr;
  rocksdb::ColumnFamilyHandle* family = nullptr;
  EpochStore* store = nullptr;

  std::shared_ptr<Generation> active = std::make_shared<Generation>();
  std::shared_ptr<Frozen> frozen;
  std::vector<Entry*> dirty;
  Filter filter;
  bool materialised = false;          ///< RocksDB has rows of this table part
  std::uint64_t accounted_bytes = 0;  ///< of `active`, in the store's sum
  std::uint64_t changelog_bytes = 0;  ///< since the last rotation
  std::string scratch;                ///< holds what get() returned from RocksDB
  TableUse use;

  /// Entry in memory, newest first; null if neither generation has the key.
  Entry* find(std::uint16_t shard, std::string_view key, std::uint64_t hash, bool& is_active);
  bool read_row(std::uint16_t shard, std::string_view key, std::uint64_t hash);
  void write(std::uint16_t shard, std::string_view key, std::uint64_t hash, std::string_view value,
             bool tombstone);
  void mark_dirty(Entry* entry);
  void account();
  void rotate(std::uint64_t epoch);
  bool may_freeze();
  void freeze(std::uint64_t epoch, bool logged);
  void drop_frozen();
};

}  // namespace huiliu::state
