#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace huiliu::bench {

// An exact set of short strings (up to 255 bytes): open addressing over one arena.
class SeenKeys {
 public:
  SeenKeys();

  // True when `key` is new.
  bool insert(std::string_view key);

 private:
  struct Slot {
    std::uint64_t hash = 0;  // 0 = free
    std::uint32_t offset = 0;
  };

  bool holds(const Slot& slot, std::string_view key) const;
  void grow();

  std::vector<Slot> slots_;
  std::vector<char> arena_;  // length byte, then the key
  std::size_t size_ = 0;
};

}  // namespace huiliu::bench
