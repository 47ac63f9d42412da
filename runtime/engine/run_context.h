#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/component/intake.h"
#include "runtime/component/run_parts.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/operator_requests.h"
#include "runtime/engine/run_figures.h"
#include "runtime/topology/plan.h"

namespace huiliu::runtime {

class Backend;
class Selection;

/// Wakes threads that wait for work of any kind.
class Bell {
 public:
  /// Something happened that a waiting thread may be waiting for.
  void ring();
  /// How often it rang: read before looking for work, so that no ring is missed.
  std::uint64_t rings() const { return rings_.load(std::memory_order_acquire); }
  /// Blocks until it has rung since `seen` was read, or the time is over.
  void wait(std::uint64_t seen, std::int64_t ms);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> rings_{0};
};

/// Whether, how and why the run ends.
class Ending {
 public:
  explicit Ending(Bell& bell) : bell_(bell) {}

  std::atomic<bool> stop{false};      ///< end with a last commit
  std::atomic<bool> abandon{false};   ///< end at once
  std::atomic<bool> finished{false};  ///< the last epoch is committed
  std::atomic<bool> input_ended{false};

  /// The first failure is the run's; the run is abandoned.
  void fail(Status status);
  Status failure();
  bool ending() const { return stop || abandon; }

 private:
  Bell& bell_;
  std::mutex mutex_;
  Status failure_ = Status::ok();
};

/// What is under way, for pacing and progress only.
struct Flow {
  unsigned window = 8;  ///< full slices that may be under way at once: the back-pressure
  /// A slice of few bytes takes less room than a full one. If it did not, a source whose records
  /// come one by one from many partitions could pass on no more than `window` of them a commit.
  static constexpr std::uint32_t kFullShare = 16;
  std::atomic<std::uint64_t> in_flight{0};          ///< slices
  std::atomic<std::uint64_t> shares_in_flight{0};   ///< of them, kFullShare for a full one
  std::atomic<std::uint64_t> uncommitted_bytes{0};  ///< read, which a crash now has read again
  /// A sink without a position of its own has applied what the state does not know of yet.
  std::atomic<bool> unsaved_deliveries{false};
  /// Operators, on all threads, that have more to make of their state in the next slices.
  std::atomic<std::uint64_t> holding{0};

  bool is_full() const { return shares_in_flight >= std::uint64_t{window} * kFullShare; }
  void begin(std::uint32_t share) {
    in_flight.fetch_add(1);
    shares_in_flight.fetch_add(share);
  }
  void end(std::uint32_t share) {
    shares_in_flight.fetch_sub(share);
    in_flight.fetch_sub(1);
  }
};

/// What should have been read and was not. Readers write it.
class Unread {
 public:
  using Reasons = std::map<std::string, std::string>;

  /// Of a rejudgement: why rows of the partition cannot be had.
  void not_found(const std::string& partition, const std::string& why);
  /// The source left something out, and why; "" takes it back.
  void left_out(const std::string& source, const std::string& name, const std::string& why);

  Reasons not_found() const;
  /// By source, of those that left something out.
  std::map<std::string, Reasons> left_out() const;

 private:
  mutable std::mutex mutex_;
  Reasons not_found_;
  std::map<std::string, Reasons> left_out_;
};

/// Which components cannot do their work for now, and why. Any thread.
class Health {
 public:
  explicit Health(Clock*& clock) : clock_(clock) {}

  void failed(const std::string& component, const std::string& why);
  void works(const std::string& component);
  std::map<std::string, Away> away() const;
  /// How often a component failed and was tried again, since the run was opened.
  std::map<std::string, std::uint64_t> retries() const;

 private:
  Clock*& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Away> away_;
  std::map<std::string, std::uint64_t> retries_;
};

/// Where things are kept that come from outside of an epoch, each opened once. Any thread.
class Intakes {
 public:
  explicit Intakes(Backend*& backend) : backend_(backend) {}
  /// That of the node; its users share it. As Backend::open_intake().
  Result<std::shared_ptr<Intake>> open(const std::string& node, const IntakeOptions& options);

 private:
  Backend*& backend_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Intake>> open_;
};

/// What the parts of one run work on, and the few things by which they touch each other.
struct RunContext {
  const Topology* topology = nullptr;
  const Plan* plan = nullptr;
  Backend* backend = nullptr;
  Clock* clock = nullptr;
  const Selection* selection = nullptr;  ///< not null: the run is a rejudgement
  std::size_t slice_bytes = 1 << 20;     ///< aim of a slice's size
  std::size_t piece_rows = 4096;         ///< OperatorContext::piece_rows()
  std::shared_ptr<MemoryPool> pool = std::make_shared<MemoryPool>();
  /// Waits; false if the topology is to end instead. Virtual time in simulations.
  std::function<bool(std::int64_t ms)> wait;

  Bell bell;
  Ending end{bell};
  OperatorRequests requests;
  Flow flow;
  Unread unread;
  Health health{clock};
  Intakes intakes{backend};
  /// Whether a sink's outbox is empty of what is committed, as of the last epoch. By its node.
  std::function<bool(std::size_t)> is_delivered;
  /// Whether as much waits in a sink's outbox as may. By its node.
  std::function<bool(std::size_t)> is_outbox_full;
  RunParts parts;
};

/// Calls `attempt` until it returns something else than kUnavailable, with growing waits between.
/// Returns the last status; gives up when the topology is stopping.
Status retry(RunContext& run, const std::string& what, const std::function<Status()>& attempt);

}  // namespace huiliu::runtime
