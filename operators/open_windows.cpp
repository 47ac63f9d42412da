#include "operators/open_windows.h"

#include <cstring>
#include <limits>
#include <utility>

#include "operators/window_rows.h"
#include "runtime/base/failpoint.h"
#include "runtime/record/key.h"
#include "state/table.h"
#include "state/table_scan.h"

namespace huiliu::operators {

using runtime::KeyBuilder;

// From the first row of a window it goes on behind the last one.
void OpenWindows::open(state::Table& table, runtime::OperatorContext& context) {
  table_ = &table;
  context_ = &context;
  most_bytes_ = context.cache_bytes();
  state::TableScan scan = table.scan();
  for (bool found = scan.next(); found;) {
    const std::uint16_t shard = scan.shard();
    if (scan.key() == kClosedKey) {
      found = scan.next();
      continue;
    }
    if (scan.key().size() < kStartBytes) table.refuse_row(shard);
    const std::int64_t start = read_start(scan.key());
    if (start % window_ms_ != 0) table.refuse_row(shard);
    count_of(shard, scan.value());
    windows_[start].whole = false;
    const bool last = start == std::numeric_limits<std::int64_t>::max();
    found = last ? scan.seek(static_cast<std::uint16_t>(shard + 1), {})
                 : scan.seek(shard, row_key(start + 1, {}));
  }
}

CachedCounts::Entry& OpenWindows::bring(std::int64_t start, Window& window, std::string_view key,
                                        std::uint64_t hash) {
  if (bytes_ > 0 && bytes_ + window.counts.growth(key) > most_bytes_) evict();
  const std::uint64_t before = window.counts.bytes();
  CachedCounts::Entry& entry = window.counts.add(key, hash, context_->shard_of(hash));
  bytes_ += window.counts.bytes() - before;
  if (window.whole) return entry;
  const std::string_view row = row_key(start, key);
  if (const auto value = table_->get(entry.shard, row, KeyBuilder::hash_bytes(row))) {
    entry.count = count_of(entry.shard, *value);
    entry.stored = true;
  }
  return entry;
}

void OpenWindows::evict() {
  for (auto& [start, window] : windows_) {
    if (window.counts.empty()) continue;
    save(start, window);
    window.counts.clear();
    window.whole = runtime::mutant("windows.eviction_forgets");
  }
  bytes_ = 0;
}

void OpenWindows::save() {
  for (auto& [start, window] : windows_) save(start, window);
}

void OpenWindows::save(std::int64_t start, Window& window) {
  window.counts.for_each([&](CachedCounts::Entry& entry) {
    if (!entry.changed) return;
    entry.changed = false;
    entry.stored = true;
    const std::string_view row = row_key(start, entry.key());
    char value[sizeof entry.count];
    std::memcpy(value, &entry.count, sizeof value);
    table_->put(entry.shard, row, KeyBuilder::hash_bytes(row), {value, sizeof value});
  });
}

void OpenWindows::close_first(const std::function<void(const Row&)>& give_row) {
  const auto first = windows_.begin();
  auto& [start, window] = *first;
  const std::vector<CachedCounts::Entry*> cached = window.counts.sorted();
  if (window.whole) {
    for (const CachedCounts::Entry* entry : cached) give(*entry, start, give_row);
  } else {
    merge(cached, start, give_row);
  }
  bytes_ -= window.counts.bytes();
  windows_.erase(first);
}

// A key that is in both counts as the cache says: it began with what the table had.
void OpenWindows::merge(const std::vector<CachedCounts::Entry*>& cached, std::int64_t start,
                        const std::function<void(const Row&)>& give_row) {
  state::TableScan scan = table_->scan(row_key(start, {}));
  bool more = scan.next();
  auto next = cached.begin();
  while (more || next != cached.end()) {
    const std::string_view key = more ? scan.key().substr(kStartBytes) : std::string_view();
    std::strong_ordering order = std::strong_ordering::less;
    if (next == cached.end()) {
      order = std::strong_ordering::greater;
    } else if (more) {
      order = std::pair((*next)->shard, (*next)->key()) <=> std::pair(scan.shard(), key);
    }
    if (order <= 0) {
      give(**next++, start, give_row);
    } else {
      give_row(
          {scan.shard(), key, KeyBuilder::hash_bytes(key), count_of(scan.shard(), scan.value())});
      erase(scan.shard(), scan.key());
    }
    if (order >= 0) more = scan.next();
  }
}

// A row that was never put needs no erasing.
void OpenWindows::give(const CachedCounts::Entry& entry, std::int64_t start,
                       const std::function<void(const Row&)>& give_row) {
  give_row({entry.shard, entry.key(), entry.hash, entry.count});
  if (entry.stored) erase(entry.shard, row_key(start, entry.key()));
}

void OpenWindows::erase(std::uint16_t shard, std::string_view row_key) {
  table_->erase(shard, row_key, KeyBuilder::hash_bytes(row_key));
}

std::string_view OpenWindows::row_key(std::int64_t start, std::string_view key) {
  row_key_.clear();
  append_start(row_key_, start);
  row_key_.append(key);
  return row_key_;
}

std::int64_t OpenWindows::count_of(std::uint16_t shard, std::string_view value) const {
  const auto count = read_number(value);
  if (!count) table_->refuse_row(shard);
  return *count;
}

}  // namespace huiliu::operators
