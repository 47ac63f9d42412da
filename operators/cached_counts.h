#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace huiliu::operators {

/// The counts of one window by key, in memory, of which every byte is accounted for. Open
/// addressing by the hash that the engine has computed already; entries lie in pages that grow with
/// their number, since there may be many windows of few keys.
class CachedCounts {
 public:
  /// The key's bytes follow it.
  struct Entry {
    std::uint64_t hash;
    std::int64_t count;
    std::uint32_t key_size;
    std::uint16_t shard;
    bool changed;  ///< since the table got it
    bool stored;   ///< the table has a row of it

    std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size}; }
  };
  static_assert(sizeof(Entry) == 24);

  /// Null if it is not there. Entries stay where they are until clear().
  Entry* find(std::string_view key, std::uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
      Entry* entry = at(slots_[slot]);
      if (entry->hash == hash && entry->key() == key) return entry;
    }
    return nullptr;
  }
  /// An entry of nothing for a key that is not there.
  Entry& add(std::string_view key, std::uint64_t hash, std::uint16_t shard);
  bool empty() const { return count_ == 0; }
  void clear();

  /// What it takes, in bytes, with the room that sorted() needs.
  std::uint64_t bytes() const {
    return page_bytes_ + slots_.size() * sizeof(std::uint32_t) + count_ * sizeof(Entry*);
  }
  /// How much more it will take when it has this key too.
  std::uint64_t growth(std::string_view key) const;

  /// In the order of shards, then of their keys' bytes.
  std::vector<Entry*> sorted() const;
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const std::uint32_t reference : slots_) {
      if (reference != 0) visit(*at(reference));
    }
  }

 private:
  // A reference is the number of a page and of eight bytes in it, plus one.
  static constexpr std::uint32_t kUnitBits = 13;
  static constexpr std::size_t kMostPage = 8u << kUnitBits, kFirstPage = 512, kFirstSlots = 16;

  Entry* at(std::uint32_t reference) const {
    const std::uint32_t index = reference - 1;
    constexpr std::uint32_t kMask = (1u << kUnitBits) - 1;
    return reinterpret_cast<Entry*>(pages_[index >> kUnitBits].get() + (index & kMask) * 8);
  }
  static std::size_t size_of(std::string_view key) {
    return sizeof(Entry) + (key.size() + 7) / 8 * 8;
  }
  bool is_crowded() const { return (count_ + 1) * 2 > slots_.size(); }
  std::size_t next_slots() const { return slots_.empty() ? kFirstSlots : slots_.size() * 2; }
  std::size_t next_page(std::size_t bytes) const;
  void grow();

  std::vector<std::uint32_t> slots_;  // 0 = free
  std::vector<std::unique_ptr<char[]>> pages_;
  std::size_t room_ = 0, used_ = 0;  // of the last page, in bytes
  std::size_t count_ = 0;
  std::uint64_t page_bytes_ = 0;
};

}  // namespace huiliu::operators
