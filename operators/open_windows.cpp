#include "operators/open_windows.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <limits>
#include <optional>
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
  // What closed windows take is given back soon.
  const std::uint64_t most =
      std::max(most_bytes_ / 4, most_bytes_ - std::min(most_bytes_, closed_bytes_));
  if (bytes_ > 0 && bytes_ + window.counts.growth(key) > most) evict();
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
  for (Closed& closed : closed_) {
    save(closed.node.key(), closed.node.mapped());
    closed.scan.reset();
  }
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

bool OpenWindows::close_to(std::int64_t start) {
  bool any = false;
  for (; !windows_.empty() && windows_.begin()->first <= start; any = true) {
    Closed& closed = closed_.emplace_back();
    closed.node = windows_.extract(windows_.begin());
    Window& window = closed.node.mapped();
    closed.sorted = window.counts.sorted();
    bytes_ -= window.counts.bytes();
    closed_bytes_ += window.counts.bytes();
    add_shards(closed);
  }
  return any;
}

void OpenWindows::add_shards(Closed& closed) const {
  std::size_t next = 0;
  for (const std::uint16_t shard : context_->shards()) {
    const std::size_t first = next;
    while (next < closed.sorted.size() && closed.sorted[next]->shard == shard) ++next;
    if (next > first || !closed.node.mapped().whole) closed.shards.push_back({shard, first, next});
  }
}

void OpenWindows::give_closed(std::size_t most, const Give& give) {
  std::map<std::uint16_t, std::size_t> left;
  for (const std::uint16_t shard : context_->shards()) left[shard] = most;
  for (Closed& closed : closed_) give_window(closed, left, give);
  while (!closed_.empty() && closed_.front().shards.empty()) {
    closed_bytes_ -= closed_.front().node.mapped().counts.bytes();
    closed_.pop_front();
  }
}

void OpenWindows::give_window(Closed& closed, std::map<std::uint16_t, std::size_t>& left,
                              const Give& give) {
  if (!closed.node.mapped().whole && !closed.scan) {
    closed.scan = table_->scan(row_key(closed.node.key(), {}));
  }
  std::erase_if(closed.shards, [&](Closed::Shard& shard) {
    return left[shard.shard] > 0 && give_shard(closed, shard, left[shard.shard], give);
  });
}

// True if nothing of the shard is left. A key that is in both counts as the cache says: it began
// with what the table had.
bool OpenWindows::give_shard(Closed& closed, Closed::Shard& shard, std::size_t& left,
                             const Give& give) {
  const std::int64_t start = closed.node.key();
  auto& scan = closed.scan;
  const auto here = [&](bool found) { return found && scan->shard() == shard.shard; };
  if (shard.behind.empty()) shard.behind = row_key(start, {});
  bool more = scan && here(scan->seek(shard.shard, shard.behind));
  for (; left > 0 && (more || shard.next < shard.end); --left) {
    const std::string_view key = more ? scan->key().substr(kStartBytes) : std::string_view();
    std::strong_ordering order = std::strong_ordering::less;
    if (shard.next == shard.end) {
      order = std::strong_ordering::greater;
    } else if (more) {
      order = closed.sorted[shard.next]->key() <=> key;
    }
    if (order <= 0) {
      give_cached(*closed.sorted[shard.next++], start, give);
    } else {
      give({start, shard.shard, key, KeyBuilder::hash_bytes(key),
            count_of(shard.shard, scan->value())});
      erase(shard.shard, scan->key());
    }
    if (order < 0) continue;
    shard.behind.assign(scan->key()).push_back('\0');  // the next key that there can be
    more = here(scan->next());
  }
  return !more && shard.next == shard.end;
}

std::int64_t OpenWindows::first_closed() const {
  return closed_.empty() ? runtime::kEndOfTime : closed_.front().node.key();
}

// A row that was never put needs no erasing, and one that was given must not be put.
void OpenWindows::give_cached(CachedCounts::Entry& entry, std::int64_t start, const Give& give) {
  give({start, entry.shard, entry.key(), entry.hash, entry.count});
  if (entry.stored) erase(entry.shard, row_key(start, entry.key()));
  entry.changed = entry.stored = false;
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
