#include "tests/simulation/kafka/scheduler.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <cxxabi.h>
#include <sys/mman.h>

namespace huiliu::simulation {
namespace {

constexpr std::size_t kStackBytes = 1u << 20;
constexpr Micros kNever = Micros{1} << 60;

/// Stacks are used again by the next seed: mapping them costs more than a simulated life.
std::vector<void*>& free_stacks() {
  static std::vector<void*> stacks;
  return stacks;
}

void* take_stack() {
  auto& stacks = free_stacks();
  if (!stacks.empty()) {
    void* const stack = stacks.back();
    stacks.pop_back();
    return stack;
  }
  void* const stack = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) throw std::runtime_error("no memory for a simulated thread's stack");
  constexpr std::size_t kGuardBytes = 4096;  // who runs over it is seen
  ::mprotect(stack, kGuardBytes, PROT_NONE);
  return stack;
}

/// What the C++ runtime keeps of exceptions that are on their way, per thread of the machine.
struct Exceptions {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

}  // namespace

struct Scheduler::Thread {
  std::uint64_t number = 0;
  ProcessPtr process;
  std::function<void()> work;
  ucontext_t context{};
  void* stack = nullptr;
  std::uint64_t turn = 0;
  const void* waits_for = nullptr;
  bool done = false;
  Exceptions exceptions;
};

Scheduler::Scheduler(std::uint64_t seed, bool trace) : random_(seed), trace_(trace) {}

Scheduler::~Scheduler() {
  for (const auto& thread : threads_) {
    if (thread->stack != nullptr) free_stacks().push_back(thread->stack);
  }
}

bool Scheduler::chance(double probability) {
  constexpr std::uint64_t kParts = 1'000'000;
  return static_cast<double>(below(kParts)) < probability * kParts;
}

void Scheduler::push(Event event) {
  event.sequence = ++sequence_;
  events_.push(std::move(event));
}

void Scheduler::at(Micros when, ProcessPtr owner, std::function<void()> what) {
  push({.when = when, .owner = std::move(owner), .what = std::move(what)});
}

std::uint64_t Scheduler::spawn(ProcessPtr process, std::function<void()> work) {
  auto thread = std::make_unique<Thread>();
  thread->number = threads_.size() + 1;
  thread->process = std::move(process);
  thread->work = std::move(work);
  thread->stack = take_stack();
  ::getcontext(&thread->context);
  thread->context.uc_stack.ss_sp = thread->stack;
  thread->context.uc_stack.ss_size = kStackBytes;
  thread->context.uc_link = nullptr;
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  ::makecontext(&thread->context, reinterpret_cast<void (*)()>(&Scheduler::entry), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
  wake(*thread, now_);
  threads_.push_back(std::move(thread));
  return threads_.back()->number;
}

std::uint64_t Scheduler::start(std::function<void()> work) {
  return spawn(current_->process, std::move(work));
}

void Scheduler::entry(unsigned high, unsigned low) {
  auto* const self = reinterpret_cast<Scheduler*>(std::uintptr_t{high} << 32 | low);
  Thread* const thread = self->current_;
  try {
    if (!thread->process->dead) thread->work();
  } catch (const Killed&) {
  }
  thread->work = nullptr;
  thread->done = true;
  self->notify(thread);
  ::swapcontext(&thread->context, &self->main_);
}

void Scheduler::wake(Thread& thread, Micros when) {
  push({.when = when, .owner = thread.process, .thread = thread.number, .turn = ++thread.turn});
}

void Scheduler::resume(Thread& thread) {
  current_ = &thread;
  auto* const exceptions = reinterpret_cast<Exceptions*>(abi::__cxa_get_globals());
  const Exceptions own = *exceptions;
  *exceptions = thread.exceptions;
  ::swapcontext(&main_, &thread.context);
  thread.exceptions = *exceptions;
  *exceptions = own;
  current_ = nullptr;
  if (thread.done && thread.stack != nullptr) {
    free_stacks().push_back(thread.stack);
    thread.stack = nullptr;
  }
}

void Scheduler::block(const void* what, Micros until, bool may_throw) {
  Thread& thread = *current_;
  if (may_throw && thread.process->dead) throw Killed{};
  thread.waits_for = what;
  wake(thread, until);
  ::swapcontext(&thread.context, &main_);
  thread.waits_for = nullptr;
  if (may_throw && thread.process->dead) throw Killed{};
}

void Scheduler::join(std::uint64_t number) noexcept {
  const Thread& thread = *threads_[number - 1];
  while (!thread.done) block(&thread, kNever, false);
}

void Scheduler::notify(const void* what) {
  if (what == nullptr) return;
  for (const auto& thread : threads_) {
    if (thread->waits_for == what && !thread->done) {
      thread->waits_for = nullptr;
      wake(*thread, now_);
    }
  }
}

void Scheduler::kill(Process& process) {
  process.dead = true;
  process.frozen = false;
  process.held.clear();
  for (const auto& thread : threads_) {
    if (thread->process.get() != &process || thread->done || thread.get() == current_) continue;
    wake(*thread, now_);
  }
}

void Scheduler::die() {
  kill(*current_->process);
  throw Killed{};
}

void Scheduler::freeze(const ProcessPtr& process, Micros until) {
  process->frozen = true;
  at(until, nullptr, [this, process] {
    process->frozen = false;
    for (Event& event : std::exchange(process->held, {})) {
      event.when = now_;
      push(std::move(event));
    }
  });
}

const ProcessPtr& Scheduler::process() const { return current_->process; }

bool Scheduler::has_threads() const {
  for (const auto& thread : threads_) {
    if (!thread->done) return true;
  }
  return false;
}

bool Scheduler::step() {
  if (events_.empty()) return false;
  Event event = events_.top();
  events_.pop();
  if (event.when > now_) now_ = event.when;
  if (event.owner && event.owner->frozen) {
    ProcessPtr owner = event.owner;
    owner->held.push_back(std::move(event));
    return true;
  }
  if (event.thread != 0) {
    Thread& thread = *threads_[event.thread - 1];
    if (!thread.done && thread.turn == event.turn) resume(thread);
  } else if (!event.owner || !event.owner->dead) {
    event.what();
  }
  return true;
}

void Scheduler::note(const char* what, std::initializer_list<std::int64_t> numbers,
                     std::string_view text) {
  constexpr std::uint64_t kPrime = 1099511628211u;
  const auto mix = [this](const void* bytes, std::size_t size) {
    const auto* at = static_cast<const unsigned char*>(bytes);
    for (std::size_t i = 0; i < size; ++i) hash_ = (hash_ ^ at[i]) * kPrime;
  };
  const int number = current_ == nullptr ? 0 : current_->process->number;
  mix(&now_, sizeof now_);
  mix(&number, sizeof number);
  mix(what, std::strlen(what));
  for (const std::int64_t each : numbers) mix(&each, sizeof each);
  mix(text.data(), text.size());
  if (!trace_) return;
  std::printf("%12.6f  %d  %s", static_cast<double>(now_) / 1e6, number, what);
  for (const std::int64_t each : numbers) std::printf(" %lld", static_cast<long long>(each));
  std::printf(" %.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace huiliu::simulation
