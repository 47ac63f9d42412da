#include "state/table.h"

#include <map>
#include <set>

#include <fmt/format.h>
#include <rocksdb/db.h>

#include "state/epoch_store_impl.h"
#include "state/failpoint.h"
#include "state/layout.h"
#include "state/rocksdb_status.h"
#include "state/table_impl.h"

namespace huiliu::state {

Table::Table(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Table::~Table() = default;

Entry* Table::Impl::find(std::uint16_t shard, std::string_view key, std::uint64_t hash,
                         bool& is_active) {
  Entry* entry = active->find(shard, key, hash);
  is_active = entry != nullptr;
  if (!is_active && frozen) entry = frozen->entries->find(shard, key, hash);
  if (entry != nullptr) TableUse::add(use.from_memory);
  return entry;
}

bool Table::Impl::read_row(std::uint16_t shard, std::string_view key, std::uint64_t hash) {
  if (!materialised || !filter.may_contain(Generation::tag_of(hash))) {
    TableUse::add(use.known_absent);
    return false;
  }
  TableUse::add(use.from_disk);
  rocksdb::ReadOptions options;
  const rocksdb::Status status = db->Get(options, family, row_key(shard, key), &scratch);
  if (!status.ok() && !status.IsNotFound() && !mutant("state.get_unchecked")) {
    require(status, "table " + name);
  }
  return status.ok();
}

void Table::Impl::mark_dirty(Entry* entry) {
  constexpr std::size_t kOften = 1024;
  if (entry->dirty) return;
  if (dirty.size() % kOften == 0) account();
  entry->dirty = true;
  dirty.push_back(entry);
}

void Table::Impl::write(std::uint16_t shard, std::string_view key, std::uint64_t hash,
                        std::string_view value, bool tombstone) {
  Entry* entry = active->find(shard, key, hash);
  if (entry != nullptr && entry->value_room < value.size()) {
    entry->dirty = false;  // freeze_epoch passes over the old place
    entry = active->move(shard, key, hash, value.size() + value.size() / 2);
  }
  if (entry == nullptr) entry = active->add(shard, key, hash, value.size());
  if (!value.empty()) std::memmove(entry->value_bytes(), value.data(), value.size());
  entry->value_size = static_cast<std::uint32_t>(value.size());
  entry->tombstone = tombstone;
  mark_dirty(entry);
}

std::optional<std::string_view> Table::get(std::uint16_t shard, std::string_view key,
                                           std::uint64_t hash) {
  bool is_active = false;
  if (const Entry* entry = impl_->find(shard, key, hash, is_active)) {
    if (entry->tombstone) return std::nullopt;
    return entry->value();
  }
  if (!impl_->read_row(shard, key, hash)) return std::nullopt;
  return impl_->scratch;
}

void Table::refuse_row(std::uint16_t shard) const {
  throw runtime::StatusError(damaged(
      fmt::format("table {}, shard {}: a row is none that was written", impl_->name, shard)));
}

void Table::prefetch(std::uint64_t hash) const { impl_->active->prefetch(hash); }

void Table::put(std::uint16_t shard, std::string_view key, std::uint64_t hash,
                std::string_view value) {
  impl_->write(shard, key, hash, value, false);
}

void Table::erase(std::uint16_t shard, std::string_view key, std::uint64_t hash) {
  impl_->write(shard, key, hash, {}, true);
}

bool Table::insert(std::uint16_t shard, std::string_view key, std::uint64_t hash,
                   std::string_view value) {
  bool is_active = false;
  Entry* entry = impl_->find(shard, key, hash, is_active);
  if (entry != nullptr && !entry->tombstone) return false;
  if (entry == nullptr && impl_->read_row(shard, key, hash)) return false;
  if (is_active) {
    impl_->write(shard, key, hash, value, false);
    return true;
  }
  Entry* added = impl_->active->add(shard, key, hash, value.size());
  if (!value.empty()) std::memcpy(added->value_bytes(), value.data(), value.size());
  added->value_size = static_cast<std::uint32_t>(value.size());
  impl_->mark_dirty(added);
  return true;
}

void Table::for_each(
    const std::function<void(std::uint16_t, std::string_view, std::string_view)>& visit) {
  std::map<std::string, std::pair<bool, std::string>> memory;  // row key → tombstone, value
  const auto collect = [&](const Entry& entry, std::uint32_t) {
    memory[row_key(entry.shard, entry.key())] = {entry.tombstone, std::string(entry.value())};
  };
  if (impl_->frozen) impl_->frozen->entries->for_each(collect);
  impl_->active->for_each(collect);
  if (impl_->materialised) {
    const std::set<std::uint16_t> owned(impl_->shards.begin(), impl_->shards.end());
    std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator({}, impl_->family));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const std::string_view row(it->key().data(), it->key().size());
      const auto shard = static_cast<std::uint16_t>(read_big_endian(row.substr(0, 2)));
      if (!owned.contains(shard) || memory.contains(std::string(row))) continue;
      visit(shard, row.substr(2), {it->value().data(), it->value().size()});
    }
    require(it->status(), "table " + impl_->name);
  }
  for (const auto& [row, value] : memory) {
    if (value.first) continue;
    visit(static_cast<std::uint16_t>(read_big_endian(std::string_view(row).substr(0, 2))),
          std::string_view(row).substr(2), value.second);
  }
}

Changes Table::freeze_epoch(std::uint64_t epoch) {
  Changes changes;
  changes.table = impl_->name;
  std::vector<std::string> blobs(impl_->shards.empty() ? 0 : impl_->shards.back() + 1u);
  if (mutant("state.drop_dirty") && impl_->dirty.size() > 1) {
    impl_->dirty.back()->dirty = false;
    impl_->dirty.pop_back();
  }
  for (Entry* entry : impl_->dirty) {
    if (!entry->dirty) continue;
    const bool tombstone = entry->tombstone && !mutant("state.tombstone_lost");
    append_change(blobs[entry->shard], tombstone, entry->key(), entry->value());
    entry->dirty = false;
  }
  impl_->dirty.clear();
  for (const std::uint16_t shard : impl_->shards) {
    std::string& blob = blobs[shard];
    if (blob.empty()) continue;
    impl_->changelog_bytes += blob.size();
    changes.blobs.emplace_back(shard, std::move(blob));
  }
  impl_->rotate(epoch);
  return changes;
}

bool Table::freeze_unlogged(std::uint64_t epoch, bool all) {
  if (!impl_->may_freeze()) return false;
  if (!all && !impl_->store->impl_->over_budget(impl_->active->bytes())) return false;
  for (Entry* entry : impl_->dirty) entry->dirty = false;
  impl_->dirty.clear();
  impl_->freeze(epoch, false);
  return true;
}

void Table::Impl::drop_frozen() {
  if (!mutant("state.filter_forgets")) {
    frozen->entries->for_each([&](const Entry&, std::uint32_t tag) { filter.add(tag); });
  }
  materialised = true;
  frozen.reset();
}

void Table::Impl::account() {
  store->impl_->active_bytes += active->bytes() - accounted_bytes;
  accounted_bytes = active->bytes();
  const std::uint64_t frozen_rows = frozen ? frozen->entries->count() : 0;
  const std::uint64_t frozen_bytes = frozen ? frozen->entries->bytes() : 0;
  use.rows.store(active->count() + frozen_rows, std::memory_order_relaxed);
  use.bytes.store(active->bytes() + frozen_bytes, std::memory_order_relaxed);
  use.filter_bytes.store(filter.bytes(), std::memory_order_relaxed);
}

// At an epoch's end every entry belongs to it or to an earlier one, so all may become durable with
// it.
void Table::Impl::rotate(std::uint64_t epoch) {
  constexpr std::uint64_t kMostChangelog = 64u << 20;
  if (!may_freeze()) return;
  const std::uint64_t most_changelog = std::max(kMostChangelog, store->impl_->options.memory_bytes);
  if (!store->impl_->over_budget(active->bytes()) && changelog_bytes < most_changelog) return;
  freeze(epoch, true);
}

bool Table::Impl::may_freeze() {
  if (frozen && frozen->done.load(std::memory_order_acquire)) drop_frozen();
  account();
  return !frozen && active->count() > 0;
}

void Table::Impl::freeze(std::uint64_t epoch, bool logged) {
  TableUse::add(use.flushes);
  frozen = std::make_shared<Frozen>();
  frozen->entries = active;
  frozen->epoch = epoch;
  frozen->table = name;
  frozen->family = family;
  frozen->shards = shards;
  frozen->logged = logged;
  active = std::make_shared<Generation>();
  account();
  changelog_bytes = 0;
  store->impl_->schedule(frozen);
}

std::uint64_t Table::memory_bytes() const {
  return impl_->active->bytes() + (impl_->frozen ? impl_->frozen->entries->bytes() : 0) +
         impl_->filter.bytes();
}

}  // namespace huiliu::state
