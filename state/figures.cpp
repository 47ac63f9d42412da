#include <map>

#include <rocksdb/db.h>

#include "state/epoch_store.h"
#include "state/epoch_store_impl.h"
#include "state/table_impl.h"

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
  add_tables(figures);
  return figures;
}

// Parts of a table, which different threads own, count as one.
void EpochStore::add_tables(std::vector<Figure>& figures) const {
  struct OfTable {
    std::uint64_t memory = 0, absent = 0, disk = 0, flushes = 0, rows = 0, bytes = 0, filter = 0;
  };
  std::map<std::string, OfTable> tables;
  for (const auto& table : impl_->tables) {
    const TableUse& use = table->impl_->use;
    OfTable& sums = tables[table->impl_->name];
    const auto read = [](const TableUse::Count& count) {
      return count.load(std::memory_order_relaxed);
    };
    sums.memory += read(use.from_memory);
    sums.absent += read(use.known_absent);
    sums.disk += read(use.from_disk);
    sums.flushes += read(use.flushes);
    sums.rows += read(use.rows);
    sums.bytes += read(use.bytes);
    sums.filter += read(use.filter_bytes);
  }
  for (const auto& [name, sums] : tables) {
    const auto add = [&](const char* figure, const char* help, std::uint64_t value, bool counter,
                         std::vector<std::pair<std::string, std::string>> more = {}) {
      more.insert(more.begin(), {"table", name});
      figures.push_back({figure, help, std::move(more), static_cast<double>(value), counter});
    };
    const char* const lookups = "Lookups of keys of a table, by what answered.";
    add("table_lookups_total", lookups, sums.memory, true, {{"answered_by", "memory"}});
    add("table_lookups_total", lookups, sums.absent, true, {{"answered_by", "filter"}});
    add("table_lookups_total", lookups, sums.disk, true, {{"answered_by", "disk"}});
    add("table_flushes_total", "Parts of a table that were handed over to be written.",
        sums.flushes, true);
    add("table_memory_rows", "Rows of a table that are in memory, deleted ones too.", sums.rows,
        false);
    add("table_memory_bytes", "What these rows take.", sums.bytes, false);
    add("table_filter_bytes", "What tells keys that are not on disk from others.", sums.filter,
        false);
    add("table_disk_rows", "Rows of a table on disk, as RocksDB estimates them.",
        impl_->number_of(name, "rocksdb.estimate-num-keys"), false);
    add("table_disk_bytes", "Files of a table.",
        impl_->number_of(name, "rocksdb.live-sst-files-size"), false);
  }
}

std::uint64_t EpochStore::Impl::number_of(const std::string& table, const char* property) const {
  std::uint64_t value = 0;
  const auto found = families.find(kTablePrefix + table);
  if (found != families.end()) db->GetIntProperty(found->second, property, &value);
  return value;
}

}  // namespace huiliu::state
