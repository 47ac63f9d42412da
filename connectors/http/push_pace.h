#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace huiliu::connectors {

/// When the next request may go out: at once while requests succeed; not before a Retry-After; and
/// after `breaker` failures in a row, when the circuit is open, with pauses of its own that double
/// up to `longest`. Requests are sent one by one, so that each try of an open circuit is one
/// request. Times are of a steady clock, in milliseconds.
class PushPace {
 public:
  PushPace(unsigned breaker, std::chrono::milliseconds longest)
      : breaker_(breaker), longest_(longest.count()) {}

  void succeeded() { failures_ = 0, pause_ = 0, next_ = 0; }
  void failed(std::int64_t now, std::optional<std::chrono::milliseconds> retry_after) {
    ++failures_;
    std::int64_t pause = retry_after ? retry_after->count() : 0;
    if (is_open()) {
      pause_ = std::min(std::max(2 * pause_, kFirstMs), longest_);
      pause = std::max(pause, pause_);
    }
    next_ = now + std::min(pause, longest_);
  }
  bool is_open() const { return failures_ >= breaker_; }
  std::int64_t next() const { return next_; }

 private:
  static constexpr std::int64_t kFirstMs = 1000;
  unsigned breaker_;
  std::int64_t longest_;
  unsigned failures_ = 0;
  std::int64_t pause_ = 0, next_ = 0;
};

}  // namespace huiliu::connectors
