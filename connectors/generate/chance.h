#pragma once

#include <cstdint>

namespace huiliu::connectors {

/// Random numbers of one field of one row: they depend on the seed, the field and the row's number
/// and on nothing that was drawn before, so that a row is the same whenever it is made.
class Chance {
 public:
  Chance(std::uint64_t seed, std::uint64_t field, std::uint64_t row)
      : state_(mixed(seed + (field + 1) * 0xD1B54A32D192ED03ull) + row * 0xA24BAED4963EE407ull) {}

  std::uint64_t next() { return mixed(state_ += 0x9E3779B97F4A7C15ull); }
  /// From 0 to below 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  /// The finaliser of splitmix64.
  static std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  }

  std::uint64_t state_;
};

}  // namespace huiliu::connectors
