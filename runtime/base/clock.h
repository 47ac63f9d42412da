#pragma once

#include <cstdint>
#include <string>

namespace huiliu::runtime {

/// The only way to processing time, so that tests and simulations can supply their own.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since the Unix epoch.
  virtual std::int64_t now_ms() = 0;
  /// Monotonic milliseconds, for intervals.
  virtual std::int64_t steady_ms() = 0;
};

/// The machine's clock, or that of a simulation (runtime/base/machine.h).
Clock& system_clock();

/// Moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t start_ms = 0) : now_(start_ms) {}
  std::int64_t now_ms() override { return now_; }
  std::int64_t steady_ms() override { return now_; }
  void advance(std::int64_t by_ms) { now_ += by_ms; }

 private:
  std::int64_t now_;
};

/// Milliseconds since 1970 as people read them, "2026-11-30T19:55:48.500Z"; a number that is no
/// time of the years 0 to 9999 as the number.
std::string utc_text(std::int64_t ms);

}  // namespace huiliu::runtime
