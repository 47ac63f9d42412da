#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace huiliu::state {

/// A key and its latest value in memory. Layout: this header, the key, then room for the value.
struct Entry {
  std::uint32_t key_size;
  std::uint32_t value_size;
  std::uint32_t value_room;
  std::uint16_t shard;
  bool dirty;      ///< changed in the current epoch
  bool tombstone;  ///< erased

  std::string_view key() const { return {bytes(), key_size}; }
  std::string_view value() const { return {bytes() + key_size, value_size}; }
  char* value_bytes() { return reinterpret_cast<char*>(this + 1) + key_size; }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
};
static_assert(sizeof(Entry) == 16);

/// Open-addressing hash index over entries in pages. Written by the owner thread; once frozen it
/// is read only, by any thread.
class Generation {
 public:
  Generation();

  Entry* find(std::uint16_t shard, std::string_view key, std::uint64_t hash) const;
  /// Brings the slot that find() will look at first into the cache.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[home(tag_of(hash))]); }
  /// Adds a key that find() did not find; the value has room for `value_size` bytes.
  Entry* add(std::uint16_t shard, std::string_view key, std::uint64_t hash, std::size_t value_size);
  /// Gives a key that is there a new place with more room; its value is empty then.
  Entry* move(std::uint16_t shard, std::string_view key, std::uint64_t hash,
              std::size_t value_room);
  std::size_t count() const { return count_; }
  std::uint64_t bytes() const {
    return pages_.size() * kPageBytes + large_bytes_ + slots_.size() * sizeof(Slot);
  }
  /// Every entry, in the order of the index.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.reference != 0) visit(*at(slot.reference), slot.tag);
    }
  }
  /// Full hash is not kept; the tag (its upper half) is all the filter needs.
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t reference = 0;  // page * kUnits + unit + 1; 0 = empty
  };
  static constexpr std::size_t kPageBytes = 1 << 18;
  static constexpr std::size_t kUnits = kPageBytes / 8;

  std::size_t home(std::uint32_t tag) const {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(tag) * slots_.size()) >> 32);
  }
  Entry* at(std::uint32_t reference) const {
    const std::size_t index = reference - 1;
    return reinterpret_cast<Entry*>(pages_[index / kUnits].get() + (index % kUnits) * 8);
  }
  void grow();
  std::uint32_t make(std::uint16_t shard, std::string_view key, std::size_t value_room);
  std::uint32_t allocate(std::size_t bytes);

  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<char[]>> pages_;
  std::size_t used_ = kPageBytes;  // of the last page
  std::size_t count_ = 0;
  std::uint64_t large_bytes_ = 0;
};

}  // namespace huiliu::state
