#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::state {

class EpochStore;
class TableScan;

/// Changes of one table in one epoch: one changelog blob per shard.
struct Changes {
  std::string table;
  std::vector<std::pair<std::uint16_t, std::string>> blobs;
};

/// The part of a keyed table that one thread owns; used by that thread only. Recent keys are
/// in memory, older ones in RocksDB. A key's `hash` must be KeyBuilder::hash_bytes(key): recovery
/// computes it again.
class Table {
 public:
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  /// The value, valid until the next call of any member; nothing if the key is absent.
  std::optional<std::string_view> get(std::uint16_t shard, std::string_view key,
                                      std::uint64_t hash);
  /// Brings the memory that get() or insert() will look at first nearer; changes nothing.
  void prefetch(std::uint64_t hash) const;
  void put(std::uint16_t shard, std::string_view key, std::uint64_t hash, std::string_view value);
  void erase(std::uint16_t shard, std::string_view key, std::uint64_t hash);
  /// Puts the value if the key is absent; true if it was.
  bool insert(std::uint16_t shard, std::string_view key, std::uint64_t hash,
              std::string_view value);
  /// Every key that is present, in no particular order. Slow; for opening and inspection.
  void for_each(const std::function<void(std::uint16_t shard, std::string_view key,
                                         std::string_view value)>& visit);
  /// The rows whose keys begin with `prefix`, in order (state/table_scan.h). Making it looks once
  /// at every row in memory, and at no other.
  TableScan scan(std::string_view prefix = {}) const;

  /// Takes what changed since the last call. The epoch is not committed yet.
  Changes freeze_epoch(std::uint64_t epoch);
  /// Hands the rows in memory to the flusher without a changelog. Only for rows that the caller can
  /// read again, as a restore from Kafka can, until EpochStore::wait_for_flushes() has returned.
  /// The epoch is not committed yet. Returns false and does nothing while an earlier hand-over is
  /// being written, or, unless `all`, while this table holds less than its share of the memory
  /// budget.
  bool freeze_unlogged(std::uint64_t epoch, bool all);
  std::uint64_t memory_bytes() const;
  /// For its owner, which cannot read a row that it has got: throws that the table is damaged.
  [[noreturn]] void refuse_row(std::uint16_t shard) const;

 private:
  friend class EpochStore;
  struct Impl;
  explicit Table(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::state
