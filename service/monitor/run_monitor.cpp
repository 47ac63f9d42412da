#include "service/monitor/run_monitor.h"

#include "runtime/base/clock.h"

namespace huiliu::service {

RunMonitor::RunMonitor(RunObserver& next) : next_(next) {
  view_.started_ms = view_.since_ms = runtime::system_clock().now_ms();
}

void RunMonitor::set(RunView::State state) {
  const std::int64_t now = runtime::system_clock().now_ms();
  const std::lock_guard lock(mutex_);
  if (state == RunView::State::kRunning) ++view_.openings;
  view_.state = state;
  view_.restoring.reset();
  view_.since_ms = now;
}

void RunMonitor::restoring(const runtime::RestoreProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    view_.restoring = progress;
  }
  next_.restoring(progress);
}

void RunMonitor::opened(const runtime::EngineProgress& progress) {
  set(RunView::State::kRunning);
  keep(progress);
  next_.opened(progress);
}

void RunMonitor::progress(const runtime::EngineProgress& progress) {
  keep(progress);
  next_.progress(progress);
}

void RunMonitor::keep(const runtime::EngineProgress& progress) {
  const std::int64_t now = runtime::system_clock().now_ms();
  const std::lock_guard lock(mutex_);
  const auto& before = view_.progress.asked;
  if (before.pause_asked != progress.asked.pause_asked ||
      before.drain_asked != progress.asked.drain_asked) {
    view_.asked_since_ms = now;
  }
  view_.progress = progress;
  view_.told_ms = now;
}

void RunMonitor::paused() {
  set(RunView::State::kPaused);
  next_.paused();
}

RunView RunMonitor::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

}  // namespace huiliu::service
