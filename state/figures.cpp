#include <rocksdb/db.h>

#include "state/epoch_store.h"
#include "state/epoch_store_impl.h"

namespace huiliu::state {

using runtime::Figure;

// Asked twice a second at most; RocksDB answers from what it has at hand.
std::vector<Figure> EpochStore::figures() const {
  const auto number = [&](const char* property) {
    std::uint64_t value = 0;
    impl_->db->GetAggregatedIntProperty(property, &value);
    return static_cast<double>(value);
  };
  std::vector<Figure> figures = {
      {.name = "state_growing_bytes",
       .help = "Rows of tables in memory that are not frozen for writing yet.",
       .value = static_cast<double>(impl_->active_bytes)},
      {.name = "state_unwritten_generations",
       .help = "Frozen parts of tables that wait to be written to disk.",
       .value = static_cast<double>(impl_->unwritten)},
      {.name = "state_flushes_total",
       .help = "Parts of tables that were written to disk.",
       .value = static_cast<double>(impl_->flushed),
       .counter = true},
      {.name = "rocksdb_live_sst_bytes",
       .help = "Files of the state on disk.",
       .value = number("rocksdb.live-sst-files-size")},
      {.name = "rocksdb_pending_compaction_bytes",
       .help = "What RocksDB has yet to rewrite.",
       .value = number("rocksdb.estimate-pending-compaction-bytes")},
      {.name = "rocksdb_background_errors",
       .help = "Errors of RocksDB's own work, as when the disk is full.",
       .value = number("rocksdb.background-errors")},
  };
  if (impl_->cache) {
    figures.push_back({.name = "rocksdb_block_cache_bytes",
                       .help = "Blocks of tables' files that are kept in memory.",
                       .value = static_cast<double>(impl_->cache->GetUsage())});
  }
  const std::string prefix = kTablePrefix;
  for (const auto& [name, family] : impl_->families) {
    std::uint64_t keys = 0;
    if (!name.starts_with(prefix)) continue;
    impl_->db->GetIntProperty(family, "rocksdb.estimate-num-keys", &keys);
    figures.push_back({.name = "rocksdb_estimated_rows",
                       .help = "Rows of a table on disk, as RocksDB estimates them.",
                       .labels = {{"table", name.substr(prefix.size())}},
                       .value = static_cast<double>(keys)});
  }
  return figures;
}

}  // namespace huiliu::state
