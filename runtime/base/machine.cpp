#include "runtime/base/machine.h"

#include <random>
#include <utility>

namespace huiliu::runtime {
namespace {

SimulatedMachine*& simulation() {
  static SimulatedMachine* simulated = nullptr;
  return simulated;
}

}  // namespace

void set_simulated_machine(SimulatedMachine* simulated) { simulation() = simulated; }

SimulatedMachine* simulated_machine() { return simulation(); }

void sleep_ms(std::int64_t ms) {
  if (SimulatedMachine* const simulated = simulation()) {
    const std::int64_t until = simulated->clock().steady_ms() + ms;
    do {
      simulated->wait(nullptr, until - simulated->clock().steady_ms());
    } while (simulated->clock().steady_ms() < until);
    return;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

std::uint64_t random_number() {
  if (SimulatedMachine* const simulated = simulation()) return simulated->random();
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

Thread::Thread(std::function<void()> work) {
  if (SimulatedMachine* const simulated = simulation()) {
    simulated_ = simulated->start(std::move(work));
  } else {
    thread_ = std::thread(std::move(work));
  }
}

void Thread::join() {
  if (const std::uint64_t number = std::exchange(simulated_, 0)) {
    simulation()->join(number);
  } else {
    thread_.join();
  }
}

void Condition::notify_all() {
  if (SimulatedMachine* const simulated = simulation()) {
    simulated->notify(this);
  } else {
    condition_.notify_all();
  }
}

void Condition::wait_for(std::unique_lock<std::mutex>& lock, std::int64_t ms) {
  SimulatedMachine* const simulated = simulation();
  if (simulated == nullptr) {
    condition_.wait_for(lock, std::chrono::milliseconds(ms));
    return;
  }
  lock.unlock();
  simulated->wait(this, ms);
  lock.lock();
}

}  // namespace huiliu::runtime
