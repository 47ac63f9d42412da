#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/engine/alignment.h"
#include "runtime/engine/feed.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/run_context.h"

namespace huiliu::runtime {

/// Notices splits, and sources, of which nothing has come for long, so that others need not wait
/// for them. Only the time counts in which input was taken: a split that is held back is not idle.
class IdleWatch {
 public:
  explicit IdleWatch(const Topology& topology);

  /// The slice's events and records have come.
  void saw(const SliceInfo& slice);
  /// Adds what has become idle. `now` on the steady clock; `taking`: what had come was taken.
  void look(std::int64_t now, bool taking, std::vector<SplitEvent>& events);
  /// The split is held back, or no longer: it is not silent meanwhile.
  void hold(std::uint32_t source, SplitId split, bool held);
  /// Nothing is taken of the source, or again: it is not silent meanwhile.
  void block(std::uint32_t source, bool blocked);

 private:
  struct Silence {
    std::int64_t since = 0;  ///< on the clock that stands while no input is taken
    bool idle = false;
    bool held = false;
  };
  struct Source {
    std::int64_t idle_ms = 0;  ///< 0: it has no event time
    std::map<SplitId, Silence> live;
    std::size_t splits = 0;
    Silence silence;
    bool blocked = false;
  };
  void apply(const SplitEvent& event);

  std::vector<Source> sources_;
  std::int64_t clock_ = 0, looked_ = -1;
};

/// Takes what the sources have read and gives each piece its place in the total order. EngineThread
/// threads pull. Whatever is chance, such as which source was first or that a split is idle, is
/// decided here, once. Also decides where epochs end.
class Sequencer {
 public:
  explicit Sequencer(RunContext& run);

  /// Opens the readers at their committed positions; `next_epoch` is the first to be committed.
  Status open(std::uint64_t next_epoch);
  /// Gives each source a thread of its own.
  void start();
  void stop();

  struct Work {
    SliceInfoPtr info;
    std::shared_ptr<SliceMemory> memory;  ///< holds the slice; null for a slice without input
    std::size_t source_node = 0;
  };
  /// The next slice, or nothing now (no input, window full, or all given out).
  std::optional<Work> pull();
  /// Time until pull() may have something that nobody signals, such as an epoch's end.
  std::int64_t ms_to_next();
  /// Bytes read and in all, over all sources.
  std::pair<std::uint64_t, std::uint64_t> progress();
  /// What readers say of themselves.
  std::vector<Figure> figures() const;
  /// The slice is decoded; any thread.
  void decoded(const SliceInfo& slice);
  /// The epoch with these positions of a source is committed.
  void committed(std::uint32_t source, const std::vector<PositionChange>& positions);

 private:
  std::optional<Work> next_input(std::int64_t now);
  std::optional<Work> next_of(const std::vector<std::uint32_t>& feeds, std::size_t& next,
                              std::int64_t now);
  void find_feeds_of_sinks();
  bool look_for_full_outboxes();
  void block_feeds(bool all);
  void look_for_last_receipts(std::int64_t now);
  std::optional<Work> without_input(std::int64_t now, const Pacing& pacing, bool taking);
  Work input(Feed& feed, std::uint32_t index, std::int64_t now);
  /// Counts the slice as under way.
  void begin(SliceInfo& info);
  Work control(bool ends_input, bool ends_epoch, bool brings_pieces = true);
  Work last(bool ends_input);
  bool is_worked_off() const;
  std::optional<Work> drained(std::int64_t now, const Pacing& pacing);
  std::optional<Work> next_of_held(std::int64_t now, const Pacing& pacing);
  std::optional<Work> end_of_what_was_read(std::int64_t now, const Pacing& pacing);
  void look_for_pause();
  std::optional<Work> end_of_input(std::int64_t now, const Pacing& pacing);
  Work pieces_before_the_end(bool ends_epoch);
  void gather_events(Feed& feed);
  void stamp(SliceInfo& info);
  void align();
  /// Whether an epoch that has ended is not committed yet.
  bool is_committing() const;
  bool epoch_is_due(std::int64_t now, const Pacing& pacing) const;
  void end_epoch(SliceInfo& info, std::int64_t now);

  RunContext& run_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  // Indexes of feeds, and whose turn it is: the engine's own sources; those of receipts; those that
  // others wait for until what is there of them is read (InputDescriptor::first); and the rest.
  std::vector<std::uint32_t> own_, receipts_, first_, turns_;
  std::size_t next_own_ = 0, next_receipts_ = 0, next_first_ = 0, next_ = 0;
  struct Receipts {
    std::uint32_t feed = 0;
    std::size_t sink = 0;               ///< node
    std::vector<std::uint32_t> before;  ///< feeds whose records reach it
  };
  std::vector<Receipts> receipts_of_;
  /// A sink with an outbox, and the feeds whose records reach it.
  struct Fed {
    std::size_t sink = 0;  ///< node
    std::vector<std::uint32_t> by;
    bool full = false;
  };
  std::vector<Fed> fed_;
  std::vector<bool> blocked_;  // by feed: what it reaches is full
  bool strict_ = false;        // all input is bounded: sources take turns, and nothing is chance
  bool needs_time_ = false;
  bool goes_on_ = false;  // splits have times of an earlier run, which no slice has brought yet
  bool says_times_ = false;
  bool threaded_ = false;
  IdleWatch idle_;
  Alignment alignment_;
  std::vector<SplitEvent> events_;  // of no slice yet
  std::uint64_t next_sequence_ = 0;
  std::uint64_t next_epoch_ = 1;
  std::int64_t epoch_started_ = 0;
  bool dirty_ = false;  // slices were given out since the last epoch ended
  // An operator's pause: nothing is taken, and with which epoch that began is said already.
  bool paused_ = false, pause_told_ = false;
  bool input_over_ = false;  // the slice that ends the input was given out
  bool done_ = false;        // under the mutex
};

}  // namespace huiliu::runtime
