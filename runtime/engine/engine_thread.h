#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/engine/chains.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/run_context.h"
#include "runtime/engine/sequencer.h"
#include "runtime/engine/timeline.h"

namespace huiliu::runtime {

class Committer;

/// Parts that arrive for one thread; slices of which all parts are there are taken in order, stage
/// by stage. Bounded by the window of slices under way. Senders are other threads.
class Inbox {
 public:
  explicit Inbox(const Plan& plan);
  /// `held`: what the sender's stage, and those before it, hold back.
  void deliver(std::size_t stage, const SliceInfoPtr& info, ExchangePart part,
               const std::vector<Held>& held);

  struct ArrivedSlice {
    SliceInfoPtr info;
    std::vector<ExchangePart> parts;
    std::vector<Held> held;
    std::size_t arrived = 0;
  };
  /// The stage's next slice, if all of its parts are here.
  bool take(std::size_t stage, ArrivedSlice& arrived);

 private:
  std::mutex mutex_;
  std::vector<std::size_t> expected_;  // parts of a slice, per stage
  std::vector<std::uint64_t> next_;    // per stage
  std::vector<std::map<std::uint64_t, ArrivedSlice>> waiting_;
};

/// One thread's work, a step at a time, so that a simulation can interleave steps.
class EngineThread {
 public:
  EngineThread(RunContext& run, Sequencer& sequencer, Timeline& timeline, Committer& committer,
               unsigned thread);
  Status open() { return chains_.open(); }
  void set_peers(std::vector<EngineThread*> peers) { peers_ = std::move(peers); }
  Inbox& inbox() { return inbox_; }
  Chains& chains() { return chains_; }
  /// Any thread.
  ThreadFigures figures() const;

  /// Does one piece of work; false if there is none now.
  bool step();
  /// Until the topology has ended.
  void run();

 private:
  void wait(std::uint64_t seen);
  void process_input(const Sequencer::Work& work);
  void process_arrived(std::size_t stage, Inbox::ArrivedSlice arrived);
  void replay(const std::vector<ExchangePart>& parts);
  void end_stage(std::size_t stage, const SliceInfoPtr& info);

  RunContext& run_;
  Sequencer& sequencer_;
  Timeline& timeline_;
  Committer& committer_;
  Chains chains_;
  Inbox inbox_;
  std::vector<EngineThread*> peers_;
  std::atomic<std::int64_t> idle_us_{0}, blocked_us_{0};  // written by the thread only
};

}  // namespace huiliu::runtime
