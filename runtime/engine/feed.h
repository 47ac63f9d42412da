#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/backoff.h"
#include "runtime/base/machine.h"
#include "runtime/component/source.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/run_context.h"

namespace huiliu::runtime {

/// One source: its reader, which works ahead on a thread of its own, and what it has read. Nobody
/// waits for a read: the sequencer takes what is ready. Without start(), as in simulations, the
/// sequencer's own thread reads.
class Feed final : private Splits {
 public:
  /// Of the topology's node `node`, the `index`-th of its sources.
  Feed(RunContext& run, std::size_t node, std::uint32_t index);
  ~Feed() override;

  /// Opens the reader at its committed positions and times.
  Status open();
  void start();
  /// Tells the thread to end; join() waits until its read returns.
  void stop();
  void join();

  enum class State {
    kReady,    ///< take() gives something
    kReading,  ///< a read is under way or about to be: what it gives is not known yet
    kIdle,     ///< there was nothing at the last read
    kEnded,    ///< nothing is ready, and nothing will come
  };
  /// Without a thread: reads first if nothing is ready. `now` on the steady clock.
  State look(std::int64_t now);
  struct Taken {
    std::shared_ptr<SliceMemory> memory;
    std::vector<SplitEvent> events;  ///< what the reader said before the slice
    std::size_t queued = 0;          ///< slices that are ready behind it
  };
  Taken take();
  /// What the reader has said since the last slice that was taken, if no slice is ready.
  std::vector<SplitEvent> take_events();

  /// Whether what was there at the start has been taken: all of it if it is bounded. A live source
  /// of which nothing comes for long counts as such, since it may be away.
  bool has_caught_up(std::int64_t now);

  std::size_t node() const { return node_; }
  bool is_bounded() const { return bounded_; }
  /// Without a thread: when the next look() may find something.
  std::int64_t not_before() const { return not_before_; }
  /// Bytes done and in all, as of the last read.
  std::pair<std::uint64_t, std::uint64_t> progress() const;
  /// What the reader says of itself, with the source's name.
  std::vector<Figure> figures() const;
  /// Of a source of receipts: the sink has delivered all that it will get.
  void say_nothing_follows() { nothing_follows_ = true; }
  /// The reader is to hold the split back from its next read on, or no longer.
  void hold(SplitId split, bool held);
  /// An epoch with these positions is committed: the reader learns of it before its next read.
  void committed(const std::vector<PositionChange>& positions);

 private:
  // Splits, called by the reader.
  SplitId announce(const SplitDescription& split) override;
  void end(SplitId split) override;

  SourceContext context();
  void run();
  void read_once(std::int64_t now);
  void report_health(ReadResult result);
  void finish_read(ReadResult result, std::shared_ptr<SliceMemory> memory, std::int64_t now);
  bool has_room() const { return ready_.size() < kMostReady; }

  /// Slices that wait for the sequencer: enough that it finds one while the next is read.
  static constexpr std::size_t kMostReady = 3;

  RunContext& run_;
  const Node& description_;
  std::size_t node_;
  std::uint32_t index_;
  std::unique_ptr<SourceReader> reader_;
  bool bounded_ = false;
  Thread thread_;

  std::atomic<bool> nothing_follows_{false};

  // Used by whoever reads.
  Backoff backoff_;
  std::int64_t idle_ms_ = 0;
  bool waits_ = false;  // the reader itself
  std::map<std::string, std::string> saved_times_;

  mutable std::mutex mutex_;
  Condition wake_;
  std::deque<Taken> ready_;
  std::vector<SplitEvent> events_;  // since the last slice
  SplitId next_split_ = 0;
  std::vector<PositionChange> committed_;
  std::vector<std::pair<SplitId, bool>> holds_;  // for the reader
  State state_ = State::kReading;
  std::int64_t not_before_ = 0;
  std::int64_t quiet_since_ = -1;  // of a live source
  bool caught_up_ = false;
  std::string away_;  // why nothing could be read at its last read; "" = it could
  std::pair<std::uint64_t, std::uint64_t> progress_;
  bool threaded_ = false, stopping_ = false;
};

}  // namespace huiliu::runtime
