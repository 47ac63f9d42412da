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
#include "runtime/engine/shared.h"
#include "runtime/topology/state_layout.h"

namespace huiliu::runtime {

/// Brings slices to the sinks in their order and commits epochs. Its own thread; push() may be
/// called by any.
class Committer {
 public:
  explicit Committer(Shared& shared);

  /// Opens sinks at their committed positions and restores totals.
  Status open();
  void push(SliceReport report);
  /// Handles the next complete slice; false if there is none.
  bool step();
  void run();

  /// Called on the committer's thread after each commit.
  void on_committed(std::function<void(std::uint64_t epoch)> callback) {
    committed_callback_ = std::move(callback);
  }
  /// Last committed sequence of a store sink's outbox.
  std::uint64_t outbox_end(std::size_t node) const;
  /// A delivery has applied up to `sequence`: the next commit forgets what is before.
  void delivered(std::size_t node, std::uint64_t sequence, std::uint64_t records);

  struct Progress {
    std::uint64_t epoch = 0;
    std::uint64_t slices = 0;
    std::vector<Ledger::Totals> totals;  ///< per node, committed
  };
  Progress progress();
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
    std::unique_ptr<EpochSink> file;  // null for store sinks
    std::string outbox;               // name of the log of a store sink
    std::vector<LogAppend> pending;   // for the outbox, this epoch
    std::uint64_t appended = 0;       // last sequence given out
    std::uint64_t committed = 0;      // last sequence committed
    std::uint64_t delivered = 0;
    std::uint64_t trimmed = 0;
  };

  bool take(Pending& pending);
  void take_positions(const SliceInfo& info);
  void take_waiting_positions();
  Status apply(Pending& pending);
  Status write_sinks(std::vector<SliceReport>& reports);
  Status write_sink(std::size_t node, std::string_view bytes, std::uint64_t records);
  Status commit(std::uint64_t epoch);
  void warn_of_unread_rejects(std::uint64_t epoch) const;
  void append_outbox(SinkState& sink, std::string_view bytes, std::uint64_t records);
  void add_outboxes(EpochCommit& commit);
  void committed(const EpochCommit& commit);
  Status prepare_files(EpochCommit& commit);
  Status open_sink(std::size_t node);
  Status open_layout();

  Shared& shared_;
  std::size_t reports_per_slice_;
  Ledger ledger_;
  std::vector<SinkState> sinks_;  // per node
  std::string merged_;
  std::map<std::string, std::string> positions_;
  std::vector<std::shared_ptr<void>> changes_;
  StateLayout new_layout_;  // to be committed with the first epoch
  std::function<void(std::uint64_t)> committed_callback_;

  mutable std::mutex mutex_;
  std::map<std::uint64_t, Pending> waiting_;
  std::uint64_t next_ = 0;
  Progress progress_;
};

/// Merges the parts of one sink and slice into the order of the input.
void merge_sink_parts(const std::vector<const SinkPart*>& parts, std::string& merged);

}  // namespace huiliu::runtime
