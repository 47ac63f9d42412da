#include "state/filter.h"

namespace huiliu::state {
namespace {

constexpr int kProbes = 5;

template <class Visit>
void for_each_bit(std::uint64_t mixed, const Visit& visit) {
  std::uint64_t bits = mixed;
  for (int i = 0; i < kProbes; ++i) {
    visit((bits >> 6) & 7, 1ull << (bits & 63));
    bits >>= 9;
  }
}

}  // namespace

void Filter::add(std::uint32_t tag) {
  // A key that is written again and again takes its room once.
  if (may_contain(tag)) return;
  if (segments_.empty() || segments_.back().room == 0) {
    const std::uint64_t keys = kFirstKeys << segments_.size();
    segments_.push_back({std::vector<Block>(keys / kKeysPerBlock + 1), keys});
  }
  Segment& segment = segments_.back();
  --segment.room;
  const std::uint64_t mixed = mix(tag);
  const auto index = static_cast<std::size_t>(
      ((mixed >> 32) * static_cast<std::uint64_t>(segment.blocks.size())) >> 32);
  for_each_bit(mixed, [&](std::uint64_t word, std::uint64_t bit) {
    segment.blocks[index].words[word] |= bit;
  });
}

bool Filter::may_contain(std::uint32_t tag) const {
  const std::uint64_t mixed = mix(tag);
  // The newest segment is the largest, so most keys are there.
  for (std::size_t s = segments_.size(); s-- > 0;) {
    const Segment& segment = segments_[s];
    const auto index = static_cast<std::size_t>(
        ((mixed >> 32) * static_cast<std::uint64_t>(segment.blocks.size())) >> 32);
    bool all = true;
    for_each_bit(mixed, [&](std::uint64_t word, std::uint64_t bit) {
      all = all && (segment.blocks[index].words[word] & bit) != 0;
    });
    if (all) return true;
  }
  return false;
}

std::uint64_t Filter::bytes() const {
  std::uint64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.blocks.size() * sizeof(Block);
  return sum;
}

}  // namespace huiliu::state
