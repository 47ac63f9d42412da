#include "operators/cached_counts.h"

#include <algorithm>
#include <cstring>

#include "runtime/base/check.h"

namespace huiliu::operators {

// As large as all before, so that little is unused; a longer key has a page of its own.
std::size_t CachedCounts::next_page(std::size_t bytes) const {
  const auto wanted = static_cast<std::size_t>(
      std::clamp<std::uint64_t>(page_bytes_, std::uint64_t{kFirstPage}, std::uint64_t{kMostPage}));
  return std::max(bytes, wanted);
}

std::uint64_t CachedCounts::growth(std::string_view key) const {
  std::uint64_t bytes = sizeof(Entry*);
  if (is_crowded()) bytes += (next_slots() - slots_.size()) * sizeof(std::uint32_t);
  const std::size_t size = size_of(key);
  if (size > room_ - used_) bytes += next_page(size);
  return bytes;
}

CachedCounts::Entry& CachedCounts::add(std::string_view key, std::uint64_t hash,
                                       std::uint16_t shard) {
  constexpr std::size_t kMostPages = std::size_t{1} << (32 - kUnitBits);
  if (is_crowded()) grow();
  const std::size_t size = size_of(key);
  if (size > room_ - used_) {
    room_ = next_page(size);
    used_ = 0;
    page_bytes_ += room_;
    pages_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    HUILIU_CHECK(pages_.size() < kMostPages);
  }
  const std::size_t index = (pages_.size() - 1) << kUnitBits | used_ / 8;
  used_ += size;
  ++count_;
  const auto reference = static_cast<std::uint32_t>(index + 1);
  Entry* entry = at(reference);
  *entry = {hash, 0, static_cast<std::uint32_t>(key.size()), shard, false, false};
  std::memcpy(reinterpret_cast<char*>(entry + 1), key.data(), key.size());
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = reference;
  return *entry;
}

void CachedCounts::grow() {
  std::vector<std::uint32_t> old(next_slots());
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const std::uint32_t reference : old) {
    if (reference == 0) continue;
    std::size_t slot = at(reference)->hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = reference;
  }
}

void CachedCounts::clear() { *this = CachedCounts(); }

std::vector<CachedCounts::Entry*> CachedCounts::sorted() const {
  std::vector<Entry*> entries;
  entries.reserve(count_);
  for_each([&](Entry& entry) { entries.push_back(&entry); });
  std::sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) {
    return a->shard != b->shard ? a->shard < b->shard : a->key() < b->key();
  });
  return entries;
}

}  // namespace huiliu::operators
