#include "runtime/base/clock.h"

#include <chrono>

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

}  // namespace huiliu::runtime
