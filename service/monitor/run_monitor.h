#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "service/supervisor.h"

namespace huiliu::service {

/// What is known of a run, by value: pages are made of it, and nobody waits for the run.
struct RunView {
  enum class State {
    kStarting,  ///< the backend and the components are being opened, or state is restored
    kRunning,
    kPaused,  ///< between two openings, after what may pass
  };
  State state = State::kStarting;
  std::int64_t since_ms = 0;                               ///< of the state, by the clock
  std::int64_t started_ms = 0;                             ///< of the process's run
  std::uint64_t openings = 0;                              ///< how often the backend was opened
  runtime::EngineProgress progress = {};                   ///< the last that was told
  std::optional<runtime::RestoreProgress> restoring = {};  ///< while it is not running
  std::int64_t asked_since_ms = 0;  ///< since when an operator's pause or drain is known
  std::int64_t told_ms = 0;         ///< when; 0: nothing was yet
};

/// Watches a run for those who ask, and passes on what it is told.
class RunMonitor final : public RunObserver {
 public:
  explicit RunMonitor(RunObserver& next);

  void importing(const std::string& text) override { next_.importing(text); }
  void restoring(const runtime::RestoreProgress& progress) override;
  void opened(const runtime::EngineProgress& progress) override;
  void progress(const runtime::EngineProgress& progress) override;
  void paused() override;

  /// Any thread.
  RunView view() const;

 private:
  void set(RunView::State state);
  void keep(const runtime::EngineProgress& progress);

  RunObserver& next_;
  mutable std::mutex mutex_;
  RunView view_;
};

}  // namespace huiliu::service
