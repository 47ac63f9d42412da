#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace huiliu::property {

/// What a seed draws. Standard distributions differ between libraries, so there are none here.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  /// 0 to below `end`.
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  bool chance(unsigned percent) { return engine_() % 100 < percent; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace huiliu::property
