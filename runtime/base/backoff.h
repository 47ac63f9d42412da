#pragma once

#include <algorithm>
#include <cstdint>

namespace huiliu::runtime {

/// The pauses between attempts at what failed: each twice as long as the one before, up to a bound.
class Backoff {
 public:
  static constexpr std::int64_t kFirstMs = 50, kMostMs = 5000;

  explicit Backoff(std::int64_t first_ms = kFirstMs, std::int64_t most_ms = kMostMs)
      : first_ms_(first_ms), most_ms_(most_ms) {}

  /// How long to wait after a further failure, in milliseconds.
  std::int64_t next_ms() {
    last_ms_ = std::clamp(last_ms_ * 2, first_ms_, most_ms_);
    return last_ms_;
  }
  /// An attempt succeeded: the next failure starts with the shortest pause again.
  void reset() { last_ms_ = 0; }

 private:
  std::int64_t first_ms_, most_ms_;
  std::int64_t last_ms_ = 0;
};

}  // namespace huiliu::runtime
