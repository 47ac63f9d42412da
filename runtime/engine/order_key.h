#pragma once

#include <bit>
#include <compare>
#include <cstdint>

namespace huiliu::runtime {

/// The place of a record among all that pass an exchange, or reach a sink, within one slice. It is
/// the path on which the record came to be: the number of the record that left the slice's first
/// stage, then for each later stage the number of the record among those made of its predecessor
/// there. Keys compare as paths do, level by level. That is the order in which one thread, which
/// calls one operator from within the other, would have come past here, so the order of records
/// depends on no thread (decision 0001).
class OrderKey {
 public:
  /// The `number`-th record that leaves the first stage; below 2^31.
  static OrderKey of_input(std::uint64_t number);
  /// What records have in common that a node makes of its state when a slice has passed: they come
  /// behind all of_input(), ordered by the node's place in the plan (below 2^13), then by `time`,
  /// which the node chooses, then by shard.
  static OrderKey of_state(std::uint64_t node, std::int64_t time, std::uint16_t shard);
  /// The `number`-th record made of this one. Throws StatusError if the path gets too long.
  OrderKey child(std::uint64_t number) const;

  auto operator<=>(const OrderKey&) const = default;

 private:
  static constexpr unsigned kLengthBits = 7, kMostBits = 128 - kLengthBits;

  unsigned length() const { return static_cast<unsigned>(low_ & ((1u << kLengthBits) - 1)); }
  /// Appends the lowest `bits` of `value`, at least one.
  void append(std::uint64_t value, unsigned bits);

  // The path's bits from the highest on, then zeroes; its length in the lowest kLengthBits.
  std::uint64_t high_ = 0, low_ = 0;
};

/// Numbers the records that leave a stage of one thread.
class OrderCounter {
 public:
  /// The first stage's next slice.
  void begin_slice() {
    nested_ = false;
    next_ = 0;
  }
  /// What follows is made of the record with this key.
  void begin(const OrderKey& root) {
    root_ = root;
    nested_ = true;
    next_ = 0;
  }
  OrderKey next() {
    const std::uint64_t number = next_++;
    return nested_ ? root_.child(number) : OrderKey::of_input(number);
  }

 private:
  OrderKey root_;
  bool nested_ = false;
  std::uint64_t next_ = 0;
};

}  // namespace huiliu::runtime
