#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/component/sink.h"
#include "runtime/engine/ledger.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/outbox.h"
#include "runtime/engine/run_book.h"
#include "runtime/engine/run_context.h"
#include "runtime/engine/sink_merge.h"
#include "runtime/topology/state_layout.h"

namespace huiliu::runtime {

/// Brings slices to the sinks in their order and commits epochs. Its own thread; push() may be
/// called by any.
class Committer {
 public:
  explicit Committer(RunContext& run);

  /// Before open(): called after each commit with the positions of a source in it.
  void on_committed(
      std::function<void(std::uint32_t, const std::vector<PositionChange>&)> tell_source) {
    tell_source_ = std::move(tell_source);
  }
  /// Opens sinks at their committed positions and restores totals.
  Status open();
  void push(SliceReport report);
  /// Handles the next complete slice; false if there is none.
  bool step();
  void run();

  /// Last committed sequence of a store sink's outbox.
  std::uint64_t outbox_end(std::size_t node) const;
  /// Whether its entries are of the form in which records are written now; asked before an epoch.
  bool outbox_fits(std::size_t node) const;
  /// The sink keeps no position: the one that the state has, and from now on commits.
  std::uint64_t keep_delivered(std::size_t node);
  /// Commits what was delivered after the last epoch, when nothing else is to come.
  Status save_deliveries();
  /// Learns what waits of entries `after` to `end`, which an earlier run wrote. Not from the log's
  /// beginning: what is trimmed there may still lie in files. Any thread, once.
  Status count_waiting(std::size_t node, std::uint64_t after, std::uint64_t end);
  /// Whether as much waits in it as may. Any thread, once it is open.
  bool is_outbox_full(std::size_t node) const;
  /// Committed and not delivered, of all sinks. Any thread, once it is open.
  std::uint64_t outbox_records() const;
  /// A delivery has applied up to `sequence`: the next commit forgets what is before.
  void delivered(std::size_t node, std::uint64_t sequence, std::uint64_t records);

  struct Progress {
    std::uint64_t epoch = 0;
    std::uint64_t slices = 0;
    std::vector<Ledger::Totals> totals;         ///< per node, committed
    std::shared_ptr<const RunFigures> figures;  ///< null before the first commit
    /// What sinks say of themselves, since they were opened: what they kept is there at once.
    std::shared_ptr<const std::vector<Figure>> sink_figures;
  };
  Progress progress();
  /// The last epoch of which progress() tells.
  std::uint64_t committed_epoch();
  /// Lets files do what need not hold up a commit.
  Status settle(bool stopping);
  /// Bounded input has ended and is committed: finishes files.
  Status finish();

 private:
  struct Pending {
    SliceInfoPtr info;
    std::size_t reports = 0;
    std::vector<SliceReport> parts;
  };
  struct SinkState {
    // One of the two.
    std::unique_ptr<EpochSink> file;
    std::unique_ptr<Outbox> outbox;
  };

  bool take(Pending& pending);
  void take_positions(const SliceInfo& info);
  void take_times(const SliceInfo& info);
  void take_waiting_positions();
  Status apply(Pending& pending);
  void hold_back_times(Pending& pending);
  Status write_sinks(std::vector<SliceReport>& reports);
  Status write_sink(std::size_t node);
  Status commit(const SliceInfo& last);
  void add_positions(EpochCommit& commit);
  void add_layout(EpochCommit& commit);
  void warn_of_unread_rejects(std::uint64_t epoch) const;
  void committed(const EpochCommit& commit, const SliceInfo& last);
  void publish(const SliceInfo& last);
  bool has_unsaved_deliveries() const;
  std::shared_ptr<const std::vector<Figure>> sink_figures() const;
  Status prepare_files(EpochCommit& commit);
  Status open_sink(std::size_t node);

  RunContext& run_;
  std::size_t reports_per_slice_;
  Ledger ledger_;
  RunBook book_;
  std::vector<std::vector<std::size_t>> stateful_before_;  // per node
  std::vector<SinkState> sinks_;                           // per node
  SinkMerge merge_;
  std::vector<const Node*> sources_;
  std::function<void(std::uint32_t, const std::vector<PositionChange>&)> tell_source_;
  std::map<std::uint32_t, std::map<std::string, std::string>> read_;  // by source, since a commit
  std::map<std::string, std::string> positions_;
  struct SplitTime {
    std::string key;  ///< of the saved time
    std::int64_t time = kNoEventTime;
  };
  std::map<std::pair<std::uint32_t, SplitId>, SplitTime> split_times_;  // of those not ended
  std::vector<std::shared_ptr<void>> changes_;
  StateLayout new_layout_;  // to be committed with the first epoch

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Pending> waiting_;
  std::uint64_t next_ = 0;
  Progress progress_;
};

}  // namespace huiliu::runtime
