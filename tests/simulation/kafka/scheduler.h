#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <ucontext.h>

#include "runtime/base/machine.h"

namespace huiliu::simulation {

using Micros = std::int64_t;

/// Thrown in a simulated process that was killed, from where it waits.
struct Killed {};

struct Event;

/// A process that is simulated: its threads and timers live, stand still and die together.
struct Process {
  int number = 0;
  bool dead = false, frozen = false;
  std::vector<Event> held;  // while it is frozen
};
using ProcessPtr = std::shared_ptr<Process>;

struct Event {
  Micros when = 0;
  std::uint64_t sequence = 0;
  ProcessPtr owner;          ///< null: the world's, such as a request on its way
  std::uint64_t thread = 0;  ///< to be resumed; 0: call `what`
  std::uint64_t turn = 0;    ///< of that thread; an older one means nothing any more
  std::function<void()> what = {};
};

/// Runs simulated threads in one thread of the machine on a virtual clock, in an order that the
/// seed determines. Threads give way only where they wait.
class Scheduler final : public runtime::SimulatedMachine, public runtime::Clock {
 public:
  Scheduler(std::uint64_t seed, bool trace);
  ~Scheduler() override;

  Micros now() const { return now_; }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  Micros between(Micros least, Micros most) {
    return least + static_cast<Micros>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  bool chance(double probability);

  /// Does nothing if the owner is dead then; waits while it is frozen.
  void at(Micros when, ProcessPtr owner, std::function<void()> what);
  std::uint64_t spawn(ProcessPtr process, std::function<void()> work);
  void kill(Process& process);
  void freeze(const ProcessPtr& process, Micros until);
  /// The process of the running thread.
  const ProcessPtr& process() const;
  /// Ends the running thread's process where it stands.
  [[noreturn]] void die();
  /// Of the running thread. Throws Killed.
  void sleep(Micros duration) { block(nullptr, now_ + duration, true); }
  /// Until notify(what) or the time; may return early. Throws Killed.
  void wait_until(const void* what, Micros until) { block(what, until, true); }
  /// The next event; false if there is none.
  bool step();
  bool has_threads() const;

  /// Goes into the hash of all that happened, and to stdout with `trace`.
  void note(const char* what, std::initializer_list<std::int64_t> numbers = {},
            std::string_view text = {});
  std::uint64_t hash() const { return hash_; }

  std::int64_t now_ms() override { return kEpochMs + passed_ms_ + now_ / 1000; }
  /// Days in which nothing happens: for those who look at the date.
  void pass(std::int64_t days) { passed_ms_ += days * 24 * 3600 * 1000; }
  std::int64_t steady_ms() override { return now_ / 1000; }
  runtime::Clock& clock() override { return *this; }
  std::uint64_t start(std::function<void()> work) override;
  void join(std::uint64_t thread) noexcept override;
  void wait(const void* what, std::int64_t most_ms) override {
    block(what, now_ + most_ms * 1000, true);
  }
  void notify(const void* what) override;
  std::uint64_t random() override { return random_(); }

 private:
  static constexpr std::int64_t kEpochMs = 1'700'000'000'000;
  std::int64_t passed_ms_ = 0;
  struct Thread;
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
    }
  };

  void push(Event event);
  void wake(Thread& thread, Micros when);
  void block(const void* what, Micros until, bool may_throw);
  void resume(Thread& thread);
  static void entry(unsigned high, unsigned low);

  std::mt19937_64 random_;
  bool trace_;
  Micros now_ = 0;
  std::uint64_t sequence_ = 0, hash_ = 14695981039346656037u;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::vector<std::unique_ptr<Thread>> threads_;
  Thread* current_ = nullptr;
  ucontext_t main_{};
};

}  // namespace huiliu::simulation
