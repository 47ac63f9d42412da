#pragma once

#include <atomic>
#include <memory>

#include "runtime/component/backend.h"
#include "runtime/component/sink.h"
#include "runtime/engine/committer.h"
#include "runtime/engine/run_context.h"

namespace huiliu::runtime {

/// Whether stores get everything that is committed before the run ends.
bool delivers_all(const RunContext& run);

/// Feeds one store sink from its outbox, after the commit. Its own thread.
class Delivery {
 public:
  Delivery(RunContext& run, Committer& committer, std::size_t node);

  /// A store that is away does not keep the topology from starting: records wait in the outbox.
  Status open();
  /// Applies what is committed; false if there is nothing to do.
  bool step();
  /// Until the topology has ended and, if its input has ended or it drains, everything is
  /// delivered.
  void run();
  /// Any thread.
  bool drained() const { return attached_ && position_ >= committer_.outbox_end(node_); }
  std::size_t node() const { return node_; }
  Status finish() { return sink_->finish(); }
  /// What the sink says of itself; any thread.
  std::vector<Figure> figures() const { return sink_->figures(); }

 private:
  /// Opens the store and learns how far it is.
  Status attach();
  /// Until the store is there; false if the run ends before.
  bool wait_for_store();

  RunContext& run_;
  Committer& committer_;
  std::size_t node_;
  std::unique_ptr<OutboxSink> sink_;
  std::atomic<std::uint64_t> position_{0};
  std::atomic<bool> attached_{false};
  std::uint64_t opened_end_ = 0;  ///< what the outbox had when the run began
};

}  // namespace huiliu::runtime
