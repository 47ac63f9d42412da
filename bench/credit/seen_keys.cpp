#include "bench/credit/seen_keys.h"

#include <cstring>

namespace huiliu::bench {
namespace {

constexpr std::size_t kFirstSlots = 1u << 16;

std::uint64_t hash_of(std::string_view key) {
  constexpr std::uint64_t kMultiplier = 0xff51afd7ed558ccdull;
  std::uint64_t hash = 0x9E3779B97F4A7C15ull ^ key.size();
  std::uint64_t word = 0;
  for (; key.size() >= sizeof word; key.remove_prefix(sizeof word)) {
    std::memcpy(&word, key.data(), sizeof word);
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 32;
  }
  word = 0;
  std::memcpy(&word, key.data(), key.size());
  hash = (hash ^ word) * kMultiplier;
  return (hash ^ (hash >> 29)) | 1;
}

std::size_t home_of(std::uint64_t hash, std::size_t slots) {
  return static_cast<std::size_t>(hash >> 16) & (slots - 1);
}

}  // namespace

SeenKeys::SeenKeys() : slots_(kFirstSlots) {}

bool SeenKeys::holds(const Slot& slot, std::string_view key) const {
  const char* stored = arena_.data() + slot.offset;
  return static_cast<std::uint8_t>(*stored) == key.size() &&
         std::memcmp(stored + 1, key.data(), key.size()) == 0;
}

bool SeenKeys::insert(std::string_view key) {
  const std::uint64_t hash = hash_of(key);
  std::size_t at = home_of(hash, slots_.size());
  while (slots_[at].hash != 0) {
    if (slots_[at].hash == hash && holds(slots_[at], key)) return false;
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = {hash, static_cast<std::uint32_t>(arena_.size())};
  arena_.push_back(static_cast<char>(key.size()));
  arena_.insert(arena_.end(), key.begin(), key.end());
  if (++size_ * 2 >= slots_.size()) grow();
  return true;
}

void SeenKeys::grow() {
  std::vector<Slot> larger(slots_.size() * 2);
  for (const Slot& slot : slots_) {
    if (slot.hash == 0) continue;
    std::size_t at = home_of(slot.hash, larger.size());
    while (larger[at].hash != 0) at = (at + 1) & (larger.size() - 1);
    larger[at] = slot;
  }
  slots_.swap(larger);
}

}  // namespace huiliu::bench
