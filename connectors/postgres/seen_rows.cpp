#include "connectors/postgres/seen_rows.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "connectors/postgres/packed_cells.h"

namespace huiliu::connectors::postgres {
namespace {

/// A new chunk takes so many rows; one of which few are left gives them away.
constexpr std::size_t kChunkRows = 1000, kFewRows = 250;

}  // namespace

bool SeenRows::load(const std::string& name, const std::string& bytes) {
  const std::uint64_t chunk = std::strtoull(name.c_str() + kPrefix.size(), nullptr, 10);
  if (chunk == 0) return false;
  next_chunk_ = std::max(next_chunk_, chunk + 1);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    std::optional<std::string_view> key;
    std::uint64_t hash = 0;
    if (!take_cell(rest, key) || !key || rest.size() < sizeof hash) return false;
    std::memcpy(&hash, rest.data(), sizeof hash);
    rest.remove_prefix(sizeof hash);
    const auto [found, added] = rows_.try_emplace(std::string(*key));
    // A later chunk has what was given last, in whatever order they are loaded.
    if (!added && found->second.chunk > chunk) continue;
    if (!added) take_out(*found);
    found->second.hash = hash;
    found->second.pass = 0;
    put_into(*found, chunk);
  }
  changed_.clear();
  return true;
}

void SeenRows::clear() { *this = SeenRows(exact_); }

void SeenRows::put_into(Item& item, std::uint64_t chunk) {
  std::vector<Item*>& all = chunks_[chunk];
  item.second.chunk = chunk;
  item.second.slot = all.size();
  all.push_back(&item);
}

void SeenRows::take_out(Item& item) {
  std::vector<Item*>& all = chunks_[item.second.chunk];
  all[item.second.slot] = all.back();
  all[item.second.slot]->second.slot = item.second.slot;
  all.pop_back();
  changed_[item.second.chunk];
}

bool SeenRows::knows(const std::string& key, std::uint64_t hash) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return false;
  found->second.pass = pass_;
  return found->second.hash == hash;
}

void SeenRows::add(const std::string& key, std::uint64_t hash) {
  if (chunks_[next_chunk_].size() >= kChunkRows) ++next_chunk_;
  const auto [found, added] = rows_.try_emplace(key);
  if (!added) {
    if (exact_) changed_[found->second.chunk] = true;
    take_out(*found);
  }
  found->second.hash = hash;
  found->second.pass = pass_;
  put_into(*found, next_chunk_);
  changed_[next_chunk_] = true;
}

std::size_t SeenRows::unmet() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(rows_, [this](const Item& item) { return item.second.pass != pass_; }));
}

std::vector<std::string> SeenRows::drop_unmet(std::size_t most) {
  std::vector<std::string> dropped;
  for (auto item = rows_.begin(); item != rows_.end() && dropped.size() < most;) {
    if (item->second.pass == pass_) {
      ++item;
      continue;
    }
    take_out(*item);
    changed_[item->second.chunk] = true;
    dropped.push_back(item->first);
    item = rows_.erase(item);
  }
  return dropped;
}

void SeenRows::drop_chunks(std::uint64_t from, std::uint64_t to) {
  const auto end = chunks_.upper_bound(to);
  for (auto chunk = chunks_.lower_bound(from); chunk != end; ++chunk) {
    for (const Item* item : chunk->second) rows_.erase(rows_.find(item->first));
    chunk->second.clear();
    changed_[chunk->first];
  }
}

std::string SeenRows::bytes_of(std::uint64_t chunk) const {
  std::string bytes;
  for (const Item* item : chunks_.at(chunk)) {
    put_cell(item->first, bytes);
    bytes.append(reinterpret_cast<const char*>(&item->second.hash), sizeof item->second.hash);
  }
  return bytes;
}

void SeenRows::take_changes(std::vector<runtime::PositionChange>& positions) {
  compact();
  for (const auto& [chunk, again] : changed_) {
    const std::string name = fmt::format("{}{}", kPrefix, chunk);
    if (chunks_[chunk].empty()) {
      positions.emplace_back(name, "");
      chunks_.erase(chunk);
    } else if (again) {
      positions.emplace_back(name, bytes_of(chunk));
    }
  }
  changed_.clear();
  // What is added next must not write the chunk again.
  if (chunks_.contains(next_chunk_)) ++next_chunk_;
}

// Otherwise a table of which few rows stay for long would leave a chunk for each of them.
void SeenRows::compact() {
  const std::map<std::uint64_t, bool> changed = changed_;
  for (const auto& [chunk, _] : changed) {
    const std::size_t left = chunks_[chunk].size();
    if (left == 0 || left > kFewRows || chunk + 1 >= next_chunk_) continue;
    for (Item* item : std::vector(chunks_[chunk])) {
      const std::uint64_t pass = item->second.pass;
      add(item->first, item->second.hash);
      item->second.pass = pass;
    }
  }
}

}  // namespace huiliu::connectors::postgres
