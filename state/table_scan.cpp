#include "state/table_scan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rocksdb/db.h>

#include "state/failpoint.h"
#include "state/layout.h"
#include "state/rocksdb_status.h"
#include "state/sorted_entries.h"
#include "state/table_impl.h"

namespace huiliu::state {
namespace {

using Place = std::pair<std::uint16_t, std::string_view>;  ///< shard, key

/// Rows of one generation. Entries keep their place as long as the generation lives.
class MemoryRows {
 public:
  MemoryRows(std::shared_ptr<const Generation> generation, std::string_view prefix)
      : generation_(std::move(generation)), rows_(sorted_entries(*generation_, prefix)) {}

  bool has() const { return at_ < rows_.size(); }
  Place place() const { return place_of(rows_[at_]); }
  const Entry& entry() const { return *rows_[at_].entry; }
  void next() { ++at_; }
  void seek(const Place& to) {
    const auto found = std::lower_bound(
        rows_.begin(), rows_.end(), to,
        [](const SortedEntry& row, const Place& wanted) { return place_of(row) < wanted; });
    at_ = static_cast<std::size_t>(found - rows_.begin());
  }

 private:
  static Place place_of(const SortedEntry& row) { return {row.entry->shard, row.entry->key()}; }

  std::shared_ptr<const Generation> generation_;
  std::vector<SortedEntry> rows_;
  std::size_t at_ = 0;
};

/// Rows in RocksDB, shard by shard: between those of this part are others', and marks.
class StoredRows {
 public:
  StoredRows(std::unique_ptr<rocksdb::Iterator> rows, std::vector<std::uint16_t> shards,
             std::string_view prefix, std::string table)
      : rows_(std::move(rows)),
        shards_(std::move(shards)),
        prefix_(prefix),
        table_(std::move(table)) {}

  bool has() const { return shard_ < shards_.size(); }
  Place place() const {
    return {shards_[shard_], std::string_view(rows_->key().data() + 2, rows_->key().size() - 2)};
  }
  std::string_view value() const { return {rows_->value().data(), rows_->value().size()}; }
  void next() {
    rows_->Next();
    settle();
  }
  void seek(const Place& to) {
    const auto first = std::lower_bound(shards_.begin(), shards_.end(), to.first);
    shard_ = static_cast<std::size_t>(first - shards_.begin());
    if (!has()) return;
    go_to(shards_[shard_] == to.first ? std::max<std::string_view>(to.second, prefix_) : prefix_);
    settle();
  }

 private:
  void go_to(std::string_view key) { rows_->Seek(row_key(shards_[shard_], key)); }

  // What could not be read looks like the end.
  void settle() {
    for (;;) {
      if (!rows_->Valid() && !mutant("state.scan_unchecked")) {
        require(rows_->status(), "table " + table_);
      }
      if (rows_->Valid() && rows_->key().starts_with(row_key(shards_[shard_], prefix_))) return;
      if (++shard_ == shards_.size()) return;
      go_to(prefix_);
    }
  }

  std::unique_ptr<rocksdb::Iterator> rows_;
  std::vector<std::uint16_t> shards_;
  std::string prefix_, table_;
  std::size_t shard_ = 0;
};

}  // namespace

struct TableScan::Impl {
  std::vector<MemoryRows> memory;  ///< newest first
  std::optional<StoredRows> stored;
  bool started = false;
  // The row it is at.
  Place place;
  std::string_view value;

  bool find(bool& tombstone);
  void pass();
  bool settle();
};

/// The first row of all, as it is where it is newest; false if there is none.
bool TableScan::Impl::find(bool& tombstone) {
  const MemoryRows* newest = nullptr;
  for (const MemoryRows& rows : memory) {
    if (rows.has() && (newest == nullptr || rows.place() < newest->place())) newest = &rows;
  }
  const bool is_stored =
      stored && stored->has() && (newest == nullptr || stored->place() < newest->place());
  if (newest == nullptr && !is_stored) return false;
  place = is_stored ? stored->place() : newest->place();
  value = is_stored ? stored->value() : newest->entry().value();
  tombstone = !is_stored && newest->entry().tombstone;
  return true;
}

/// Goes on behind the row it is at, which may be in several of them. The bytes of its key are those
/// of one of them, so all are compared before any goes on.
void TableScan::Impl::pass() {
  const bool pass_stored = stored && stored->has() && stored->place() == place;
  for (MemoryRows& rows : memory) {
    if (rows.has() && rows.place() == place) rows.next();
  }
  if (pass_stored) stored->next();
}

bool TableScan::Impl::settle() {
  bool tombstone = false;
  while (find(tombstone)) {
    if (!tombstone) return true;
    pass();
  }
  return false;
}

TableScan::TableScan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TableScan::~TableScan() = default;
TableScan::TableScan(TableScan&&) noexcept = default;
TableScan& TableScan::operator=(TableScan&&) noexcept = default;

bool TableScan::next() {
  if (!impl_->started) return seek(0, {});
  impl_->pass();
  return impl_->settle();
}

bool TableScan::seek(std::uint16_t shard, std::string_view key) {
  impl_->started = true;
  for (MemoryRows& rows : impl_->memory) rows.seek({shard, key});
  if (impl_->stored) impl_->stored->seek({shard, key});
  return impl_->settle();
}

std::uint16_t TableScan::shard() const { return impl_->place.first; }
std::string_view TableScan::key() const { return impl_->place.second; }
std::string_view TableScan::value() const { return impl_->value; }

// What is being written is both in memory and, perhaps already, in RocksDB. The iterator comes
// first: what is taken over after it was made is still in memory.
TableScan Table::scan(std::string_view prefix) const {
  auto scan = std::make_unique<TableScan::Impl>();
  if (impl_->materialised) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;  // rows are read once: the blocks of other reads stay
    scan->stored.emplace(
        std::unique_ptr<rocksdb::Iterator>(impl_->db->NewIterator(options, impl_->family)),
        impl_->shards, prefix, impl_->name);
  }
  if (!mutant("state.scan_skips_memory")) scan->memory.emplace_back(impl_->active, prefix);
  if (impl_->frozen) scan->memory.emplace_back(impl_->frozen->entries, prefix);
  return TableScan(std::move(scan));
}

}  // namespace huiliu::state
