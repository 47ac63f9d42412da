#include "runtime/record/arena.h"

#include <algorithm>

namespace huiliu::runtime {

char* Arena::grow(std::size_t size) {
  // Blocks that reset() kept are used again if they are large enough.
  while (current_ < blocks_.size() && blocks_[current_].size < size) ++current_;
  if (current_ == blocks_.size()) {
    const std::size_t block = std::max(size, kBlock);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(block), block});
  }
  Block& block = blocks_[current_++];
  next_ = block.bytes.get() + size;
  end_ = block.bytes.get() + block.size;
  return block.bytes.get();
}

void Arena::reset() {
  current_ = 0;
  next_ = end_ = nullptr;
}

}  // namespace huiliu::runtime
