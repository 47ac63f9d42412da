#include "state/sums.h"

#include <xxhash.h>

#include "state/layout.h"

namespace huiliu::state {
namespace {

constexpr std::size_t kNumbers = 3, kBytes = 8;

ShardSum sum_of(const std::deque<std::pair<std::uint64_t, std::uint64_t>>& blobs,
                std::uint64_t written, std::uint64_t behind) {
  ShardSum sum{written, 0, 0};
  for (const auto& [epoch, hash] : blobs) {
    if (epoch <= behind) continue;
    ++sum.blobs;
    sum.digest ^= hash;
  }
  return sum;
}

}  // namespace

std::string ShardSum::to_bytes() const {
  std::string bytes;
  for (const std::uint64_t number : {written, blobs, digest}) {
    append_big_endian(bytes, number, kBytes);
  }
  return bytes;
}

std::optional<ShardSum> ShardSum::parse(std::string_view bytes) {
  if (bytes.size() != kNumbers * kBytes) return std::nullopt;
  return ShardSum{read_big_endian(bytes.substr(0, kBytes)),
                  read_big_endian(bytes.substr(kBytes, kBytes)),
                  read_big_endian(bytes.substr(2 * kBytes))};
}

std::string sum_key(std::string_view table, std::uint16_t shard) {
  std::string key = "!shard/";
  key += table;
  key += '\0';
  append_big_endian(key, shard, 2);
  return key;
}

std::string mark_key(std::uint16_t shard) {
  std::string key;
  append_big_endian(key, kMarkShard, 2);
  append_big_endian(key, shard, 2);
  return key;
}

std::uint64_t blob_hash(std::uint64_t epoch, std::string_view blob) {
  return XXH3_64bits_withSeed(blob.data(), blob.size(), epoch);
}

void Sums::open(const Shard& shard, std::uint64_t written) { shards_[shard] = {written, {}}; }

void Sums::found(const Shard& shard, std::uint64_t epoch, std::uint64_t hash) {
  shards_[shard].blobs.emplace_back(epoch, hash);
}

void Sums::forget(const Shard& shard) { shards_.erase(shard); }

const Sums::Open* Sums::find(const Shard& shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? nullptr : &found->second;
}

ShardSum Sums::of(const Shard& shard) const {
  const Open* open = find(shard);
  return open == nullptr ? ShardSum() : sum_of(open->blobs, open->written, 0);
}

ShardSum Sums::with(const Shard& shard, std::uint64_t epoch, std::uint64_t hash) const {
  ShardSum sum = of(shard);
  // A commit that is tried again may be there already.
  const Open* open = find(shard);
  if (open != nullptr && !open->blobs.empty() && open->blobs.back().first == epoch) {
    sum.digest ^= open->blobs.back().second;
    --sum.blobs;
  }
  ++sum.blobs;
  sum.digest ^= hash;
  return sum;
}

ShardSum Sums::trimmed(const Shard& shard, std::uint64_t epoch) const {
  const Open* open = find(shard);
  return open == nullptr ? ShardSum{epoch, 0, 0}
                         : sum_of(open->blobs, std::max(open->written, epoch), epoch);
}

void Sums::add(const Shard& shard, std::uint64_t epoch, std::uint64_t hash) {
  auto& blobs = shards_[shard].blobs;
  if (!blobs.empty() && blobs.back().first == epoch) blobs.pop_back();
  blobs.emplace_back(epoch, hash);
}

void Sums::trim(const Shard& shard, std::uint64_t epoch) {
  Open& open = shards_[shard];
  open.written = std::max(open.written, epoch);
  while (!open.blobs.empty() && open.blobs.front().first <= epoch) open.blobs.pop_front();
}

}  // namespace huiliu::state
