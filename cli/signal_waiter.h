#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <thread>

#include "cli/command.h"
#include "runtime/engine/engine.h"
#include "service/supervisor.h"

namespace huiliu::cli {

/// Blocks SIGINT and SIGTERM in this and all later threads and waits for them in its own: the first
/// asks for a clean stop, the second ends the process (recovery is exact). While a backend is being
/// opened nothing has begun: if that does not return by itself, the process is ended.
class SignalWaiter final : public service::StopRequests {
 public:
  SignalWaiter() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this](const std::stop_token& stop) { wait(stop); });
  }

  void watch(runtime::Engine& engine) override {
    const std::lock_guard lock(mutex_);
    engine_ = &engine;
    if (caught_) engine.stop();
  }
  void release() override {
    const std::lock_guard lock(mutex_);
    engine_ = nullptr;
  }
  void opening(bool now) override {
    const std::lock_guard lock(mutex_);
    opening_ = now;
  }
  bool came() const override { return caught_; }
  bool sleep(std::chrono::milliseconds pause) override {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, pause, [this] { return caught_.load(); });
  }

 private:
  using Clock = std::chrono::steady_clock;

  void wait(const std::stop_token& stop) {
    const timespec tick{0, 50'000'000};
    while (!stop.stop_requested()) {
      if (sigtimedwait(&signals_, nullptr, &tick) >= 0) take_signal();
      if (caught_) end_what_hangs();
    }
  }
  void take_signal() {
    const std::lock_guard lock(mutex_);
    if (caught_) std::_Exit(kInterrupted);
    caught_ = true;
    caught_at_ = Clock::now();
    if (engine_ != nullptr) engine_->stop();
    changed_.notify_all();
  }
  void end_what_hangs() {
    constexpr std::chrono::seconds kPatience(3);
    const std::lock_guard lock(mutex_);
    if (opening_ && Clock::now() - caught_at_ > kPatience) std::_Exit(kInterrupted);
  }

  sigset_t signals_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> caught_{false};
  runtime::Engine* engine_ = nullptr;
  bool opening_ = false;
  Clock::time_point caught_at_;
  std::jthread thread_;
};

}  // namespace huiliu::cli
