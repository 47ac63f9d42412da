#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/run_figures.h"
#include "runtime/topology/plan.h"

namespace huiliu::runtime {

/// Gathers the figures of a run from what slices and threads report, on the committer's thread.
class RunBook {
 public:
  RunBook(const Topology& topology, Clock& clock);

  /// The slice and all that threads say of it, which come in the order of slices.
  void saw(const SliceInfo& slice, const std::vector<SliceReport>& reports);
  void wrote(std::size_t sink, std::uint64_t records, std::uint64_t bytes);

  /// The parts of a commit, as they begin.
  void epoch_arrived();
  void prepared();
  void committed(const SliceInfo& last);
  /// Bytes of the slices that came since it was asked last.
  std::uint64_t take_epoch_bytes() { return std::exchange(epoch_bytes_, 0); }

  /// Whether it is time to publish again, or the run ends.
  bool is_due(const SliceInfo& last);
  RunFigures view(std::vector<Figure> backend) const;

 private:
  void add(const NodeCounts& counts);
  void add_spent(const std::vector<std::int64_t>& spent_ns);
  double lap();

  Clock& clock_;
  InputBook input_;
  RunFigures figures_;
  std::int64_t published_ms_ = -1;
  double lap_start_ = 0;  // seconds
  std::uint64_t epoch_bytes_ = 0;
  std::set<std::size_t> wrote_;  // sinks that took records of the epoch
  struct Uncommitted {
    std::int64_t read_ms, event_time;
  };
  std::vector<Uncommitted> uncommitted_;
};

}  // namespace huiliu::runtime
