#include "runtime/messages.h"

namespace huiliu::runtime {

std::shared_ptr<SliceMemory> MemoryPool::take() {
  std::unique_ptr<SliceMemory> memory;
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      memory = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (!memory) memory = std::make_unique<SliceMemory>();
  return {memory.release(),
          [pool = shared_from_this()](SliceMemory* done) { pool->give_back(done); }};
}

void MemoryPool::give_back(SliceMemory* memory) {
  std::unique_ptr<SliceMemory> owned(memory);
  owned->arena.reset();
  // The bytes stay: a reader that fills as many again then needs not zero them first.
  owned->slice.positions.clear();
  owned->slice.detail.reset();
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(owned));
}

}  // namespace huiliu::runtime
