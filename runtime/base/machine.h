#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "runtime/base/clock.h"

namespace huiliu::runtime {

/// Time, threads, waiting and chance, supplied by a simulation in the machine's place: there all
/// threads take turns in one, on a virtual clock.
class SimulatedMachine {
 public:
  virtual ~SimulatedMachine() = default;
  virtual Clock& clock() = 0;
  /// Starts a thread; its number.
  virtual std::uint64_t start(std::function<void()> work) = 0;
  /// Called by destructors.
  virtual void join(std::uint64_t thread) noexcept = 0;
  /// Until notify(what), at most so long; may return early.
  virtual void wait(const void* what, std::int64_t most_ms) = 0;
  virtual void notify(const void* what) = 0;
  virtual std::uint64_t random() = 0;
};

/// For a simulation, before anything else is called; null: the machine itself.
void set_simulated_machine(SimulatedMachine* simulated);
SimulatedMachine* simulated_machine();

/// Waits so long.
void sleep_ms(std::int64_t ms);
/// Unpredictable, unless simulated.
std::uint64_t random_number();

/// As std::thread.
class Thread {
 public:
  Thread() = default;
  explicit Thread(std::function<void()> work);
  bool joinable() const { return thread_.joinable() || simulated_ != 0; }
  void join();

 private:
  std::thread thread_;
  std::uint64_t simulated_ = 0;
};

/// As std::condition_variable.
class Condition {
 public:
  void notify_all();
  /// At most so long; may return early.
  void wait_for(std::unique_lock<std::mutex>& lock, std::int64_t ms);

  template <class Predicate>
  void wait(std::unique_lock<std::mutex>& lock, const Predicate& done) {
    constexpr std::int64_t kMostMs = 1000;
    while (!done()) wait_for(lock, kMostMs);
  }

 private:
  std::condition_variable condition_;
};

}  // namespace huiliu::runtime
