#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/engine/messages.h"
#include "runtime/topology/plan.h"

namespace huiliu::runtime {

class Backend;
class Selection;

/// What the parts of one running topology share. Counters are for pacing and progress only.
struct Shared {
  const Topology* topology = nullptr;
  const Plan* plan = nullptr;
  Backend* backend = nullptr;
  Clock* clock = nullptr;
  const Selection* selection = nullptr;  ///< not null: the run is a rejudgement
  /// Of a rejudgement: partition → why rows of it cannot be had. For the sequencer's readers.
  std::map<std::string, std::string> not_found;
  /// Source → what it left out → why. For the sequencer's readers, and for others at the end.
  std::map<std::string, std::map<std::string, std::string>> left_out;
  std::shared_ptr<MemoryPool> pool = std::make_shared<MemoryPool>();
  unsigned window = 8;  ///< slices that may be under way at once: the back-pressure

  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> outbox_records{0};  ///< committed, not yet delivered
  std::atomic<bool> stop{false};                 ///< end with a last commit
  std::atomic<bool> abandon{false};              ///< end at once
  std::atomic<bool> finished{false};             ///< last epoch committed
  std::atomic<bool> input_ended{false};

  /// Waits; false if the topology is to end instead. Virtual time in simulations.
  std::function<bool(std::int64_t ms)> wait;

  void fail(Status status);
  Status failure();
  /// Something happened that a waiting thread may be waiting for.
  void signal();
  /// Blocks until signal() or the time is over.
  void wait_for_signal(std::uint64_t seen, std::int64_t ms);
  std::uint64_t signals() const { return signals_.load(std::memory_order_acquire); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> signals_{0};
  Status failure_ = Status::ok();
};

/// Calls `attempt` until it returns something else than kUnavailable, with growing waits between.
/// Returns the last status; gives up when the topology is stopping.
Status retry(Shared& shared, const std::string& what, const std::function<Status()>& attempt);

}  // namespace huiliu::runtime
