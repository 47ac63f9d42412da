#include "state/generation.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace huiliu::state {
namespace {
constexpr std::size_t kFirstSlots = 1024;
}

Generation::Generation() : slots_(kFirstSlots) {}

Entry* Generation::find(std::uint16_t shard, std::string_view key, std::uint64_t hash) const {
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t i = home(tag);; i = i + 1 == slots_.size() ? 0 : i + 1) {
    const Slot& slot = slots_[i];
    if (slot.reference == 0) return nullptr;
    if (slot.tag != tag) continue;
    Entry* entry = at(slot.reference);
    if (entry->shard == shard && entry->key() == key) return entry;
  }
}

// An entry larger than a page gets pages' worth of room of its own.
std::uint32_t Generation::allocate(std::size_t bytes) {
  const std::size_t rounded = (bytes + 7) / 8 * 8;
  if (rounded > kPageBytes - used_ || pages_.empty()) {
    const std::size_t page = std::max(rounded, kPageBytes);
    pages_.push_back(std::make_unique_for_overwrite<char[]>(page));
    large_bytes_ += page - kPageBytes;
    used_ = 0;
  }
  const std::size_t reference = (pages_.size() - 1) * kUnits + used_ / 8 + 1;
  HUILIU_CHECK(reference < 0xFFFFFFFFu);
  used_ = std::min(kPageBytes, used_ + rounded);
  return static_cast<std::uint32_t>(reference);
}

void Generation::grow() {
  std::vector<Slot> old(slots_.size() + slots_.size() / 2);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.reference == 0) continue;
    std::size_t i = home(slot.tag);
    while (slots_[i].reference != 0) i = i + 1 == slots_.size() ? 0 : i + 1;
    slots_[i] = slot;
  }
}

std::uint32_t Generation::make(std::uint16_t shard, std::string_view key, std::size_t value_room) {
  const std::uint32_t reference = allocate(sizeof(Entry) + key.size() + value_room);
  Entry* entry = at(reference);
  entry->key_size = static_cast<std::uint32_t>(key.size());
  entry->value_size = 0;
  entry->value_room = static_cast<std::uint32_t>(value_room);
  entry->shard = shard;
  entry->dirty = false;
  entry->tombstone = false;
  std::memcpy(reinterpret_cast<char*>(entry + 1), key.data(), key.size());
  return reference;
}

Entry* Generation::add(std::uint16_t shard, std::string_view key, std::uint64_t hash,
                       std::size_t value_size) {
  if ((count_ + 1) * 10 > slots_.size() * 7) grow();
  const std::uint32_t reference = make(shard, key, value_size);
  const std::uint32_t tag = tag_of(hash);
  std::size_t i = home(tag);
  while (slots_[i].reference != 0) i = i + 1 == slots_.size() ? 0 : i + 1;
  slots_[i] = {tag, reference};
  ++count_;
  return at(reference);
}

Entry* Generation::move(std::uint16_t shard, std::string_view key, std::uint64_t hash,
                        std::size_t value_room) {
  const std::uint32_t tag = tag_of(hash);
  std::size_t i = home(tag);
  for (;; i = i + 1 == slots_.size() ? 0 : i + 1) {
    HUILIU_CHECK(slots_[i].reference != 0);
    if (slots_[i].tag != tag) continue;
    const Entry* entry = at(slots_[i].reference);
    if (entry->shard == shard && entry->key() == key) break;
  }
  slots_[i].reference = make(shard, key, value_room);
  return at(slots_[i].reference);
}

}  // namespace huiliu::state
