#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/component/backend.h"
#include "runtime/engine/engine.h"
#include "runtime/topology/topology.h"
#include "tests/simulation/kafka/scheduler.h"
#include "tests/simulation/power_loss_env.h"

namespace huiliu::simulation {

/// The local disk of a place where processes run one after the other.
class Disk {
 public:
  Disk() { wipe(); }
  PowerLossEnv& env() { return *env_; }
  void wipe() { env_ = std::make_unique<PowerLossEnv>(); }
  /// For go_back(). No file may be open.
  void keep_copy();
  bool has_copy() const { return !copy_.empty(); }
  /// To what it held at keep_copy().
  void go_back();

 private:
  std::unique_ptr<PowerLossEnv> env_;
  std::map<std::string, std::string> copy_;
};

/// A process that runs the topology as `huiliu run` does.
class Worker {
 public:
  /// `snapshots`: a folder that all workers see, and they have standbys too; empty: neither.
  Worker(Scheduler& scheduler, Disk& disk, const runtime::Topology& topology, std::string snapshots,
         int number, unsigned threads);

  const ProcessPtr& process() const { return process_; }
  /// As SIGTERM.
  void ask_to_end();
  bool ended() const { return ended_; }
  bool was_killed() const { return killed_ || process_->dead; }
  bool ended_by_itself() const { return ended_ && !killed_; }
  /// Why it ended by itself.
  const runtime::Status& status() const { return status_; }
  std::uint64_t restarts() const { return restarts_; }

 private:
  void main();
  runtime::Status run_once(const runtime::BackendContext& context, bool& reopen);
  void drive(runtime::Engine& engine);

  Scheduler& scheduler_;
  Disk& disk_;
  const runtime::Topology& topology_;
  std::string snapshots_;
  unsigned threads_;
  ProcessPtr process_ = std::make_shared<Process>();
  runtime::Engine* engine_ = nullptr;
  bool asked_ = false, ended_ = false, killed_ = false;
  std::uint64_t restarts_ = 0;
  runtime::Status status_ = runtime::Status::ok();
};

}  // namespace huiliu::simulation
