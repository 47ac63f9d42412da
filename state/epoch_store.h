#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/component/figure.h"
#include "state/table.h"

namespace rocksdb {
class Env;
}

namespace huiliu::state {

class Snapshot;

struct StoreOptions {
  std::uint64_t memory_bytes = 256u << 20;  ///< for tables, filters and caches
  bool synchronous_flush = false;           ///< no background thread (simulation, tests)
  rocksdb::Env* env = nullptr;              ///< null: the machine's files
  std::string identity;                     ///< of the topology; a mismatch is refused
};

struct LogEntry {
  std::uint64_t sequence = 0;
  std::string bytes;
  std::uint64_t records = 0;
};

/// One epoch as it is made true.
struct Commit {
  std::uint64_t epoch = 0;
  std::vector<const Changes*> changes;
  std::vector<std::pair<std::string, std::string>> meta;  ///< "" erases
  std::vector<std::pair<std::string, const LogEntry*>> appends;
  std::vector<std::pair<std::string, std::uint64_t>> trims;
};

/// The embedded commit backend: one RocksDB. An epoch is one synced write batch of positions,
/// changelog blobs and log entries. Thread-safe, but for tables, which belong to their thread.
class EpochStore {
 public:
  static runtime::Result<std::unique_ptr<EpochStore>> open(const std::string& folder,
                                                           const StoreOptions& options);
  ~EpochStore();

  std::uint64_t last_epoch() const;
  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const;
  /// The part of table `name` with `shards`, as of the last committed epoch. Owned by the store.
  runtime::Result<Table*> table(const std::string& name, const std::vector<std::uint16_t>& shards);
  /// Puts a snapshot's rows of these shards in the place of what the store holds of them; the table
  /// is not open. The number of rows. Not atomic: until the caller has committed that it is done,
  /// it must be done again.
  runtime::Result<std::uint64_t> fill(const std::string& table, std::vector<std::uint16_t> shards,
                                      const Snapshot& snapshot);
  /// Forgets a shard of a table that is not open.
  runtime::Status clear(const std::string& table, std::uint16_t shard);
  runtime::Status commit(const Commit& commit);
  runtime::Result<std::vector<LogEntry>> read_log(const std::string& log, std::uint64_t after,
                                                  std::size_t max_bytes) const;
  /// Whether tables hold more than their share of the memory: only an epoch's end frees it.
  bool wants_epoch() const;
  /// Whether input should wait, since tables are full again before what they held is written.
  bool wants_pause() const;
  /// Names of the tables in the store.
  std::vector<std::string> tables() const;
  /// Waits until background work is done (tests, benchmarks).
  void wait_for_flushes();
  std::uint64_t flushes() const;
  /// For whoever watches. Between commits, since tables may be made in them.
  std::vector<runtime::Figure> figures() const;

 private:
  friend class Table;
  friend class Reader;
  void add_tables(std::vector<runtime::Figure>& figures) const;
  struct Impl;
  explicit EpochStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::state
