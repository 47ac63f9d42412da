#include "runtime/engine/order_key.h"

#include <algorithm>
#include <limits>

#include "runtime/base/check.h"
#include "runtime/base/status.h"

namespace huiliu::runtime {
namespace {

constexpr unsigned kInputBits = 31, kNodeBits = 13, kTimeBits = 48, kShardBits = 16;

[[noreturn]] void refuse_path() {
  throw StatusError(Status::failed(
      "too many records were made of one record, by too many operators one behind the other: their "
      "order cannot be told any more"));
}

}  // namespace

OrderKey OrderKey::of_input(std::uint64_t number) {
  if (number >> kInputBits != 0) refuse_path();
  OrderKey key;
  key.append(number, 1 + kInputBits);
  return key;
}

OrderKey OrderKey::of_state(std::uint64_t node, std::int64_t time, std::uint16_t shard) {
  HUILIU_CHECK(node >> kNodeBits == 0);
  constexpr std::int64_t kMost = (std::int64_t{1} << (kTimeBits - 1)) - 1;
  const std::int64_t bounded = std::clamp(time, -kMost, kMost);
  OrderKey key;
  key.append(1, 1);
  key.append(node, kNodeBits);
  key.append(static_cast<std::uint64_t>(bounded + kMost), kTimeBits);
  key.append(shard, kShardBits);
  return key;
}

// A number is written as its length class (4 bits), then its distance from the first number of the
// class (two bits per class): small ones, which are the rule, take little of the key, and the
// larger of two numbers has the larger bits.
OrderKey OrderKey::child(std::uint64_t number) const {
  constexpr unsigned kClassBits = 4, kClasses = 1u << kClassBits;
  std::uint64_t first = 0;
  for (unsigned one = 0; one < kClasses; ++one) {
    const std::uint64_t many = std::uint64_t{1} << (2 * one);
    if (number - first < many) {
      if (length() + kClassBits + 2 * one > kMostBits) refuse_path();
      OrderKey key = *this;
      key.append(one, kClassBits);
      if (one > 0) key.append(number - first, 2 * one);
      return key;
    }
    first += many;
  }
  refuse_path();
}

void OrderKey::append(std::uint64_t value, unsigned bits) {
  const unsigned at = length(), end = at + bits;
  low_ += bits;
  if (end <= 64) {
    high_ |= value << (64 - end);
  } else if (at >= 64) {
    low_ |= value << (128 - end);
  } else {
    high_ |= value >> (end - 64);
    low_ |= value << (128 - end);
  }
}

}  // namespace huiliu::runtime
