#include "runtime/base/clock.h"

#include <chrono>

#include <fmt/chrono.h>

#include "runtime/base/machine.h"

namespace huiliu::runtime {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t now_ms() override { return count(std::chrono::system_clock::now()); }
  std::int64_t steady_ms() override { return count(std::chrono::steady_clock::now()); }

 private:
  template <class T>
  static std::int64_t count(T point) {
    using std::chrono::milliseconds;
    return std::chrono::duration_cast<milliseconds>(point.time_since_epoch()).count();
  }
};

}  // namespace

Clock& system_clock() {
  if (SimulatedMachine* const simulated = simulated_machine()) return simulated->clock();
  static SystemClock clock;
  return clock;
}

std::string utc_text(std::int64_t ms) {
  constexpr std::int64_t kYear0 = -62'167'219'200'000, kYear10000 = 253'402'300'800'000;
  if (ms < kYear0 || ms >= kYear10000) return std::to_string(ms);
  const std::int64_t rest = ((ms % 1000) + 1000) % 1000;
  const std::chrono::sys_seconds whole(std::chrono::seconds((ms - rest) / 1000));
  return fmt::format("{:%FT%T}.{:03}Z", whole, rest);
}

}  // namespace huiliu::runtime
