#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include "runtime/base/machine.h"
#include "state/epoch_store.h"
#include "state/last_epoch_file.h"
#include "state/sums.h"
#include "state/table_impl.h"

namespace huiliu::state {

/// Errors of RocksDB's own, as when the disk is full.
class ErrorWatch final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status*) override {
    seen = true;
    unresolved = true;
  }
  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    if (info.new_bg_error.ok()) unresolved = false;
  }

  /// There was one. RocksDB 7.8 then stays in a state in which it cannot ingest files
  /// (ErrorHandler::ClearBGError keeps is_db_stopped_), even when all else works again.
  std::atomic<bool> seen{false};
  std::atomic<bool> unresolved{false};
};

/// Column families of tables are named so.
inline constexpr const char* kTablePrefix = "t:";

/// Whether the folder has parts of a state, even if it cannot be opened.
bool has_remains(const std::string& folder);

/// Entries of a log behind `after`, from an iterator of the column family of logs.
runtime::Result<std::vector<LogEntry>> read_entries(rocksdb::Iterator& it, const std::string& log,
                                                    std::uint64_t after, std::size_t max_bytes);

struct EpochStore::Impl {
  std::string folder;
  StoreOptions options;
  std::unique_ptr<rocksdb::DB> db;
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families;
  rocksdb::ColumnFamilyHandle* meta = nullptr;
  rocksdb::ColumnFamilyHandle* changelog = nullptr;
  rocksdb::ColumnFamilyHandle* log = nullptr;
  std::shared_ptr<ErrorWatch> errors = std::make_shared<ErrorWatch>();
  std::shared_ptr<rocksdb::Cache> cache;  ///< of all tables' blocks
  std::vector<std::unique_ptr<Table>> tables;
  std::atomic<std::uint64_t> active_bytes{0};  ///< of all tables' growing generations
  std::atomic<std::size_t> open_tables{0};
  std::atomic<std::size_t> unwritten{0};  ///< generations that wait for it or are being written
  std::atomic<std::uint64_t> epoch{0};
  std::atomic<std::uint64_t> flushed{0};
  std::uint64_t sst_number = 0;
  Sums sums;
  std::unique_ptr<LastEpochFile> last_epoch_file;  ///< null in simulations

  // Frozen generations whose epoch may not be committed yet; flushed in order by one thread.
  mutable std::mutex mutex;
  runtime::Condition changed;
  std::deque<std::shared_ptr<Frozen>> queue;
  bool flushing = false;
  std::atomic<bool> stop{false};
  runtime::Thread flusher;
  runtime::Status failure = runtime::Status::ok();

  ~Impl();
  /// Whether a table part that has `bytes` in memory shall write them out: when all together are
  /// over half of the budget, the parts with their fair share or more do. The other half is for
  /// what is being written, which is faster than filling, for filters and for the cache.
  bool over_budget(std::uint64_t bytes) const;
  /// Ok if RocksDB is sound or could go on after an error. To be called before each write: a writer
  /// that failed must not be used again (assertions of Debian's build).
  runtime::Status resume();
  void schedule(std::shared_ptr<Frozen> frozen);
  void flush_ready();
  std::shared_ptr<Frozen> next_ready();
  void run_flusher();
  runtime::Status flush(const Frozen& frozen);
  runtime::Status ingest(const Frozen& frozen);
  runtime::Status write_rows(const Frozen& frozen);
  runtime::Status write_sst(const Frozen& frozen, const std::string& path);
  /// A state of an older version may have a file of which RocksDB 7.8 does not know which rows are
  /// in it (see take_over): they would not be found.
  runtime::Status check_bounds(rocksdb::ColumnFamilyHandle* family, const std::string& table) const;
  /// Makes a finished file one of a table's.
  runtime::Status take_over(rocksdb::ColumnFamilyHandle* family, const std::string& path);
  runtime::Status trim_changelog(const Frozen& frozen);
  runtime::Status open_meta();
  runtime::Status claim();
  runtime::Status replay(Table::Impl& table);
  runtime::Status replay_rows(Table::Impl& table, std::uint16_t shard);
  runtime::Status replay_changelog(Table::Impl& table, std::uint16_t shard);
  /// Whether a shard's files and changelog are of one moment, and of the store's.
  runtime::Status check_shard(const Table::Impl& table, std::uint16_t shard);
  /// A value, "" if there is none.
  runtime::Result<std::string> value_of(rocksdb::ColumnFamilyHandle* family,
                                        const std::string& key) const;
  rocksdb::ColumnFamilyOptions table_options() const;
  runtime::Result<rocksdb::ColumnFamilyHandle*> family(const std::string& name);
  /// What RocksDB says of a table; 0 if there is none.
  std::uint64_t number_of(const std::string& table, const char* property) const;
};

}  // namespace huiliu::state
