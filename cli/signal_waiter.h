#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "cli/command.h"
#include "runtime/engine/engine.h"
#include "service/supervisor.h"

namespace huiliu::cli {

/// Blocks SIGINT and SIGTERM in this and all later threads and waits for them in its own: the first
/// asks for a clean stop, the second ends the process (recovery is exact).
class SignalWaiter final : public service::StopRequests {
 public:
  SignalWaiter() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  void watch(runtime::Engine& engine) override {
    thread_ = std::jthread([this, &engine](const std::stop_token& stop) {
      const timespec pause{0, 50'000'000};
      while (!stop.stop_requested()) {
        if (sigtimedwait(&signals_, nullptr, &pause) < 0) continue;
        if (caught_.exchange(true)) std::_Exit(kInterrupted);
        engine.stop();
      }
    });
  }
  void release() override { thread_ = {}; }
  bool came() const override { return caught_; }
  bool sleep(std::chrono::milliseconds pause) override {
    if (caught_) return false;
    const timespec wait{pause.count() / 1000, pause.count() % 1000 * 1'000'000};
    if (sigtimedwait(&signals_, nullptr, &wait) >= 0) caught_ = true;
    return !caught_;
  }

 private:
  sigset_t signals_{};
  std::atomic<bool> caught_{false};
  std::jthread thread_;
};

}  // namespace huiliu::cli
