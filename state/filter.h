#pragma once

#include <cstdint>
#include <vector>

namespace huiliu::state {

/// Blocked Bloom filter that grows by segments of doubling size: answers "certainly new" for most
/// keys that are not in RocksDB, at one cache line a segment. About 13 bits a key.
class Filter {
 public:
  /// Nothing changes for a tag that it may contain already.
  void add(std::uint32_t tag);
  bool may_contain(std::uint32_t tag) const;
  std::uint64_t bytes() const;

 private:
  struct alignas(64) Block {
    std::uint64_t words[8] = {};
  };
  struct Segment {
    std::vector<Block> blocks;
    std::uint64_t room = 0;  // keys it may still take
  };
  static constexpr std::uint64_t kFirstKeys = 1 << 16;
  static constexpr std::uint64_t kKeysPerBlock = 39;

  static std::uint64_t mix(std::uint32_t tag) {
    std::uint64_t x = (tag + 1ull) * 0x9E3779B97F4A7C15ull;
    x ^= x >> 29;
    return x * 0xBF58476D1CE4E5B9ull;
  }
  std::vector<Segment> segments_;
};

}  // namespace huiliu::state
