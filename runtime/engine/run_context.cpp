#include "runtime/engine/run_context.h"

#include <spdlog/spdlog.h>

#include "runtime/base/backoff.h"
#include "runtime/base/log_context.h"
#include "runtime/component/backend.h"

namespace huiliu::runtime {

void Bell::ring() {
  {
    const std::lock_guard lock(mutex_);
    rings_.fetch_add(1, std::memory_order_release);
  }
  changed_.notify_all();
}

void Bell::wait(std::uint64_t seen, std::int64_t ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return rings_ != seen; });
}

void Ending::fail(Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok()) failure_ = std::move(status);
  }
  abandon = true;
  bell_.ring();
}

Status Ending::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Unread::not_found(const std::string& partition, const std::string& why) {
  const std::lock_guard lock(mutex_);
  not_found_[partition] = why;
}

void Unread::left_out(const std::string& source, const std::string& name, const std::string& why) {
  const std::lock_guard lock(mutex_);
  Reasons& reasons = left_out_[source];
  if (why.empty()) {
    reasons.erase(name);
  } else {
    reasons[name] = why;
  }
}

Unread::Reasons Unread::not_found() const {
  const std::lock_guard lock(mutex_);
  return not_found_;
}

std::map<std::string, Unread::Reasons> Unread::left_out() const {
  const std::lock_guard lock(mutex_);
  auto found = left_out_;
  std::erase_if(found, [](const auto& source) { return source.second.empty(); });
  return found;
}

void Health::failed(const std::string& component, const std::string& why) {
  const std::int64_t now = clock_->now_ms();
  const std::lock_guard lock(mutex_);
  Away& away = away_.try_emplace(component, Away{why, now}).first->second;
  away.why = why;
  ++away.tries;
  ++retries_[component];
}

void Health::works(const std::string& component) {
  const std::lock_guard lock(mutex_);
  away_.erase(component);
}

std::map<std::string, Away> Health::away() const {
  const std::lock_guard lock(mutex_);
  return away_;
}

std::map<std::string, std::uint64_t> Health::retries() const {
  const std::lock_guard lock(mutex_);
  return retries_;
}

Result<std::shared_ptr<Intake>> Intakes::open(const std::string& node,
                                              const IntakeOptions& options) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Intake>& known = open_[node];
  if (auto intake = known.lock()) return intake;
  auto intake = backend_->open_intake(node, options);
  if (intake.is_ok()) known = intake.value();
  return intake;
}

Status retry(RunContext& run, const std::string& what, const std::function<Status()>& attempt) {
  const LogScope scope{std::string_view(what)};
  Backoff backoff;
  for (bool failed = false;; failed = true) {
    Status status = attempt();
    if (status.code() != StatusCode::kUnavailable) {
      if (failed) run.health.works(what);
      return status;
    }
    run.health.failed(what, status.message());
    const std::int64_t pause = backoff.next_ms();
    spdlog::warn("{}: {}; trying again in {} ms", what, status.message(), pause);
    if (!run.wait(pause)) return status;
  }
}

}  // namespace huiliu::runtime
