#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace huiliu::runtime {

/// Bump allocator for the text of one slice. Not thread-safe; memory is kept for reuse by reset().
class Arena {
 public:
  /// Uninitialised bytes, valid until reset().
  char* allocate(std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - next_)) return grow(size);
    char* result = next_;
    next_ += size;
    return result;
  }
  std::string_view copy(std::string_view text) {
    if (text.empty()) return std::string_view("");
    char* bytes = allocate(text.size());
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }
  void reset();
  /// What it holds, used or not.
  std::size_t capacity() const {
    std::size_t bytes = 0;
    for (const Block& block : blocks_) bytes += block.size;
    return bytes;
  }

 private:
  static constexpr std::size_t kBlock = 64 * 1024;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  char* grow(std::size_t size);

  std::vector<Block> blocks_;
  std::size_t current_ = 0;  // blocks before this index are in use
  char* next_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace huiliu::runtime
