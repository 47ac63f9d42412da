#include "service/supervisor.h"

#include <chrono>

#include <spdlog/spdlog.h>

#include "runtime/base/backoff.h"
#include "runtime/base/clock.h"
#include "runtime/topology/state_layout.h"
#include "service/state/import.h"

namespace huiliu::service {

using runtime::Status;
using runtime::StatusCode;

namespace {

/// An error counts only if the process still owns what it looked at.
Status confirmed(Status status, runtime::Backend& backend) {
  if (status.is_ok() || status.code() == StatusCode::kRestart) return status;
  const Status owner = backend.confirm();
  return owner.is_ok() ? status : Status::restart(owner.message());
}

}  // namespace

Supervisor::Supervisor(const runtime::Topology& topology, const RunSettings& settings,
                       StopRequests& stops, RunObserver& observer, RunControl* control)
    : topology_(topology),
      settings_(settings),
      stops_(stops),
      observer_(observer),
      control_(control),
      context_{runtime::state_needs(topology), settings.state_folder, &session_,
               [&stops] { return !stops.sleep(std::chrono::milliseconds(0)); },
               [&observer](const runtime::RestoreProgress& at) { observer.restoring(at); }} {}

void RunControl::ask(bool pause, bool drain) {
  const std::lock_guard lock(mutex_);
  pause_ = pause;
  drain_ = drain_ || drain;
  pass_on();
}

void RunControl::pass_on() {
  if (engine_ == nullptr) return;
  pause_ ? engine_->pause() : engine_->resume();
  if (drain_) engine_->drain();
}

bool RunControl::pause_asked() const {
  const std::lock_guard lock(mutex_);
  return pause_;
}

bool RunControl::drain_asked() const {
  const std::lock_guard lock(mutex_);
  return drain_;
}

runtime::OperatorState RunControl::asked() const {
  const std::lock_guard lock(mutex_);
  if (engine_ != nullptr) return engine_->asked();
  return {pause_, drain_, std::nullopt};
}

RunControl::Phase RunControl::phase() const {
  const std::lock_guard lock(mutex_);
  return phase_;
}

void RunControl::watch(runtime::Engine& engine) {
  const std::lock_guard lock(mutex_);
  engine_ = &engine;
  pass_on();
}

void RunControl::release() {
  std::unique_lock lock(mutex_);
  engine_ = nullptr;
  leaving_ = true;
  unused_.wait(lock, [this] { return snapshots_ == 0; });
  leaving_ = false;
}

runtime::Result<std::uint64_t> RunControl::snapshot(const std::string& folder,
                                                    const std::string& name) {
  runtime::Engine* engine = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (engine_ == nullptr) return Status::unavailable("the state is not open now");
    engine = engine_;
    ++snapshots_;
  }
  auto epoch = engine->snapshot(folder, name, [this] { return leaving_.load(); });
  const std::lock_guard lock(mutex_);
  --snapshots_;
  unused_.notify_all();
  return epoch;
}

void RunControl::ended(bool drained) {
  const std::lock_guard lock(mutex_);
  phase_ = drained ? Phase::kDrained : Phase::kEndedOtherwise;
}

/// Fills a backend without state; true if it must be opened anew.
runtime::Result<bool> Supervisor::start_from(runtime::Backend& backend) {
  const SnapshotStart& start = settings_.start;
  if (!start.snapshot) {
    if (Status status = check_whole(backend); !status.is_ok()) return status;
    return false;
  }
  const auto state = import_state(*start.snapshot, backend);
  if (!state.is_ok()) return state.status();
  if (state.value() == ImportState::kDone) return false;
  const auto plan = plan_import(*start.snapshot, topology_, start.may_leave_out);
  if (!plan.is_ok()) return plan.status();
  observer_.importing(import_text(*start.snapshot, plan.value()));
  const Status status =
      import_snapshot(*start.snapshot, plan.value(), topology_, backend, context_.interrupted);
  if (!status.is_ok()) return status;
  return true;
}

/// From the last committed epoch until the topology ends or cannot go on.
Supervisor::Once Supervisor::run_once(RunEnd& end) {
  stops_.opening(true);
  auto backend = topology_.backend->open(context_);
  stops_.opening(false);
  if (!backend.is_ok()) return {backend.status()};
  const auto filled = start_from(*backend.value());
  if (!filled.is_ok()) return {confirmed(filled.status(), *backend.value())};
  if (filled.value()) return {Status::restart("the state is that of the snapshot"), true};
  runtime::Engine engine(topology_, settings_.threads, *backend.value(), runtime::system_clock());
  // A store or a file that is away keeps the engine waiting while it opens.
  stops_.watch(engine);
  if (Status status = engine.open(); !status.is_ok()) {
    stops_.release();
    if (stops_.came() && status.code() == StatusCode::kUnavailable) return {};
    return {confirmed(std::move(status), *backend.value())};
  }
  observer_.opened(engine.progress());
  Status status = confirmed(run_engine(engine), *backend.value());
  stops_.release();
  observer_.paused();
  end.drained = status.is_ok() && engine.drained();
  if (status.is_ok() && backend.value()->pacing().reopen && !stops_.came() && !end.drained) {
    return {Status::restart("the workers share the work anew"), true};
  }
  if (status.is_ok()) {
    end.has_progress = true;
    end.progress = engine.progress();
    end.left_out = engine.unread().left_out();
  }
  return {std::move(status)};
}

Status Supervisor::run_engine(runtime::Engine& engine) {
  if (control_ != nullptr) control_->watch(engine);
  Status status = engine.run([this](const runtime::EngineProgress& p) { observer_.progress(p); });
  if (control_ != nullptr) control_->release();
  return status;
}

RunEnd Supervisor::run() {
  RunEnd end = run_until_end();
  if (control_ != nullptr) control_->ended(end.drained);
  return end;
}

RunEnd Supervisor::run_until_end() {
  constexpr std::chrono::milliseconds kLongRun(60'000);
  runtime::Backoff backoff(100, 10'000);
  RunEnd end;
  for (;;) {
    const auto started = std::chrono::steady_clock::now();
    Once once = run_once(end);
    if (once.reopen) {
      spdlog::info("{}", once.status.message());
      backoff.reset();
      continue;
    }
    end.stopped = stops_.came();
    if (once.status.code() != StatusCode::kRestart) {
      end.status = std::move(once.status);
      return end;
    }
    if (end.stopped) return end;
    if (std::chrono::steady_clock::now() - started > kLongRun) backoff.reset();
    const std::chrono::milliseconds pause(backoff.next_ms());
    spdlog::warn("{}; starting again at the last committed epoch in {} ms", once.status.message(),
                 pause.count());
    if (stops_.sleep(pause)) continue;
    end.stopped = true;
    return end;
  }
}

}  // namespace huiliu::service
