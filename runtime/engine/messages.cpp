#include "runtime/engine/messages.h"

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
  const std::uint64_t bytes = owned->arena.capacity() + owned->slice.bytes.capacity();
  // Unsigned arithmetic: a difference below zero comes out right.
  slice_bytes_.fetch_add(bytes - owned->counted_bytes, std::memory_order_relaxed);
  owned->counted_bytes = bytes;
  const std::lock_guard lock(mutex_);
  // Many small slices at once must not leave more memory behind than full ones would.
  if (free_.size() < kMostFree) {
    free_.push_back(std::move(owned));
  } else {
    slice_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
}

namespace {

template <class Buffer>
Buffer take_last(std::vector<Buffer>& free) {
  if (free.empty()) return {};
  Buffer buffer = std::move(free.back());
  free.pop_back();
  return buffer;
}

}  // namespace

ExchangePart MemoryPool::take_part(std::size_t edge) {
  const std::lock_guard lock(mutex_);
  return take_last(free_parts_[edge]);
}

void MemoryPool::give_back(ExchangePart part) {
  part.rows.clear();
  part.values.clear();
  part.memory.clear();
  const std::lock_guard lock(mutex_);
  free_parts_[part.edge].push_back(std::move(part));
}

SinkPart MemoryPool::take_sink_part(std::size_t node) {
  const std::lock_guard lock(mutex_);
  return take_last(free_sink_parts_[node]);
}

void MemoryPool::give_back(SinkPart part) {
  part.bytes.clear();
  part.order.clear();
  part.sizes.clear();
  part.records = 0;
  const std::lock_guard lock(mutex_);
  auto& free = free_sink_parts_[part.node];
  if (free.size() < kMostFree) free.push_back(std::move(part));
}

}  // namespace huiliu::runtime
