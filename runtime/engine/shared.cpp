#include "runtime/engine/shared.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace huiliu::runtime {

void Shared::fail(Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok()) failure_ = std::move(status);
  }
  abandon = true;
  signal();
}

Status Shared::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Shared::signal() {
  {
    const std::lock_guard lock(mutex_);
    signals_.fetch_add(1, std::memory_order_release);
  }
  changed_.notify_all();
}

void Shared::wait_for_signal(std::uint64_t seen, std::int64_t ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return signals_ != seen; });
}

Status retry(Shared& shared, const std::string& what, const std::function<Status()>& attempt) {
  constexpr std::int64_t kFirstMs = 50, kMostMs = 5000;
  std::int64_t pause = kFirstMs;
  for (;;) {
    Status status = attempt();
    if (status.code() != StatusCode::kUnavailable) return status;
    spdlog::warn("{}: {}; trying again in {} ms", what, status.message(), pause);
    if (!shared.wait(pause)) return status;
    pause = std::min(pause * 2, kMostMs);
  }
}

}  // namespace huiliu::runtime
