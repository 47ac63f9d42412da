#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/status.h"
#include "runtime/component/backend.h"
#include "runtime/engine/engine.h"
#include "runtime/topology/topology.h"
#include "state/snapshot.h"

namespace huiliu::service {

/// How a run is asked to stop, as by a signal.
class StopRequests {
 public:
  virtual ~StopRequests() = default;
  /// From now on a request stops the engine, which outlives release().
  virtual void watch(runtime::Engine& engine) = 0;
  virtual void release() = 0;
  /// While a backend is being opened nothing has begun. A request may end the process then if the
  /// opening, as with brokers that do not answer, does not return by itself.
  virtual void opening(bool now) = 0;
  /// Whether there was one.
  virtual bool came() const = 0;
  /// False if one came before or meanwhile.
  virtual bool sleep(std::chrono::milliseconds pause) = 0;
};

/// What an operator asks of a run, by HTTP or otherwise. It holds for the process: an engine that
/// is opened anew meanwhile is asked the same. Any thread.
class RunControl {
 public:
  void pause() { ask(true, false); }
  void resume() { ask(false, false); }
  void drain() { ask(false, true); }
  bool pause_asked() const;
  bool drain_asked() const;
  /// How far the engine has come with it; what is asked only, between two engines.
  runtime::OperatorState asked() const;

  /// Copies the state of the last committed epoch to `folder`/`name` while the run goes on, and
  /// gives the epoch. Blocks; the end of the engine ends it with kRestart. kUnavailable while there
  /// is no engine.
  runtime::Result<std::uint64_t> snapshot(const std::string& folder, const std::string& name);

  enum class Phase { kGoesOn, kDrained, kEndedOtherwise };
  Phase phase() const;

  /// The supervisor: from now on it asks the engine, which outlives release().
  void watch(runtime::Engine& engine);
  /// Waits until nobody uses the engine.
  void release();
  /// The supervisor: the run is over.
  void ended(bool drained);

 private:
  void ask(bool pause, bool drain);
  void pass_on();

  mutable std::mutex mutex_;
  runtime::Engine* engine_ = nullptr;
  bool pause_ = false, drain_ = false;
  int snapshots_ = 0;  // that are being made of the engine
  std::atomic<bool> leaving_{false};
  std::condition_variable unused_;
  Phase phase_ = Phase::kGoesOn;
};

/// Is told what happens, on the thread of run().
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// What of a snapshot is taken over, for people.
  virtual void importing(const std::string& text) = 0;
  /// State is read again before the engine opens; only if that takes long.
  virtual void restoring(const runtime::RestoreProgress& /*progress*/) {}
  /// The engine is open, at its last commit.
  virtual void opened(const runtime::EngineProgress& progress) = 0;
  virtual void progress(const runtime::EngineProgress& progress) = 0;
  /// The engine has ended, maybe to be opened anew.
  virtual void paused() = 0;
};

/// The snapshot that a topology without state starts from.
struct SnapshotStart {
  std::unique_ptr<state::Snapshot> snapshot;  ///< null: none
  bool may_leave_out = false;                 ///< what the topology has no place for
};

struct RunSettings {
  std::string state_folder;  ///< exists
  unsigned threads = 1;
  SnapshotStart start = {};
};

struct RunEnd {
  runtime::Status status = runtime::Status::ok();
  bool stopped = false;  ///< by a request
  bool drained = false;  ///< as RunControl asked: nothing is left to do of what was read
  /// Of the engine that ran to its end, if one did.
  bool has_progress = false;
  runtime::EngineProgress progress = {};
  /// Source → what it could not read → why.
  std::map<std::string, std::map<std::string, std::string>> left_out = {};
};

/// Runs a topology until its input ends, it is asked to stop, or it cannot go on. What may pass, as
/// a lost connection, opens the backend anew at the last committed epoch, after a pause that grows
/// from 0.1 s to 10 s.
class Supervisor {
 public:
  /// All outlive it. `control` may be null: nobody asks.
  Supervisor(const runtime::Topology& topology, const RunSettings& settings, StopRequests& stops,
             RunObserver& observer, RunControl* control = nullptr);
  RunEnd run();

 private:
  struct Once {
    runtime::Status status = runtime::Status::ok();
    bool reopen = false;  ///< nothing is wrong: the backend is only to be opened anew
  };
  Once run_once(RunEnd& end);
  runtime::Status run_engine(runtime::Engine& engine);
  RunEnd run_until_end();
  runtime::Result<bool> start_from(runtime::Backend& backend);

  const runtime::Topology& topology_;
  const RunSettings& settings_;
  StopRequests& stops_;
  RunObserver& observer_;
  RunControl* control_;
  std::shared_ptr<void> session_;  // the backend's, between its openings
  runtime::BackendContext context_;
};

}  // namespace huiliu::service
