#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/chains.h"
#include "runtime/messages.h"
#include "runtime/sequencer.h"
#include "runtime/shared.h"

namespace huiliu::runtime {

class Committer;

/// Parts that arrive for one thread; complete bundles are taken in the order of slices, level by
/// level. Bounded by the window of slices under way. Senders are other threads.
class Inbox {
 public:
  explicit Inbox(const Plan& plan);
  void deliver(std::size_t level, const SliceInfoPtr& info, Part part);

  struct Bundle {
    SliceInfoPtr info;
    std::vector<Part> parts;
    std::size_t arrived = 0;
  };
  /// The level's next slice, if all of its parts are here.
  bool take(std::size_t level, Bundle& bundle);

 private:
  std::mutex mutex_;
  std::vector<std::size_t> expected_;  // parts per bundle, per level
  std::vector<std::uint64_t> next_;    // per level
  std::vector<std::map<std::uint64_t, Bundle>> waiting_;
};

/// One worker thread's work, a step at a time, so that a simulation can interleave steps.
class Worker {
 public:
  Worker(Shared& shared, Sequencer& sequencer, Committer& committer, unsigned thread);
  Status open() { return chains_.open(); }
  void set_peers(std::vector<Worker*> peers) { peers_ = std::move(peers); }
  Inbox& inbox() { return inbox_; }
  Chains& chains() { return chains_; }

  /// Does one piece of work; false if there is none now.
  bool step();
  /// Until the topology has ended.
  void run();

 private:
  void process_input(const Sequencer::Work& work);
  void process_bundle(std::size_t level, Inbox::Bundle bundle);
  void replay(const std::vector<Part>& parts);
  void end_level(std::size_t level, const SliceInfoPtr& info);
  std::int64_t watermark_after(std::size_t level, const SliceInfo& info);

  Shared& shared_;
  Sequencer& sequencer_;
  Committer& committer_;
  Chains chains_;
  Inbox inbox_;
  std::vector<Worker*> peers_;
  struct EventTime {
    std::int64_t latest = kNoEventTime;
    std::int64_t lateness = 0;
    bool used = false;
  };
  std::vector<std::vector<EventTime>> event_times_;  // per level, per source
};

}  // namespace huiliu::runtime
