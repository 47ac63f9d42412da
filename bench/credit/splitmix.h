#pragma once

#include <cstdint>

namespace huiliu::bench {

// splitmix64, the only source of randomness of the workload: same bytes on every platform.
class Splitmix {
 public:
  explicit Splitmix(std::uint64_t seed) : state_(seed * 0x2545F4914F6CDD1Dull + 1) {}

  // Uniform in [0, bound).
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

  bool percent(std::uint32_t chance) { return below(100) < chance; }

  template <typename T, std::uint32_t N>
  const T& pick(const T (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace huiliu::bench
