#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/component/outputs.h"
#include "runtime/component/sink.h"
#include "runtime/component/source.h"
#include "runtime/engine/order_key.h"
#include "runtime/record/arena.h"
#include "runtime/record/record.h"

namespace huiliu::runtime {

/// What the sequencer has learnt of a split. It is chance when that is, so it has a place in the
/// order of slices: before the records of the slice that carries it.
struct SplitEvent {
  enum class Kind {
    kAnnounced,
    kEnded,
    kIdle,         ///< nothing has come of it for long; the next record ends that
    kHeld,         ///< it is held back, since it is far ahead of its alignment group
    kReleased,     ///< it is held back no longer
    kSourceIdle,   ///< the same of a source that has no split to read
    kSourceEnded,  ///< nothing will come of the source any more
  };
  Kind kind = Kind::kAnnounced;
  std::uint32_t source = 0;
  SplitId split = kNoSplit;
  std::int64_t time = kNoEventTime;  ///< kAnnounced: what an earlier run has reached
  std::string key = {};              ///< kAnnounced
  bool live = false;                 ///< kAnnounced
  int shard = -1;                    ///< kAnnounced: as in SplitDescription
};

/// What every stage of every thread must know of a slice. Stage 0 fills in max_event_time; then it
/// does not change any more.
struct SliceInfo {
  std::uint64_t sequence = 0;  ///< place in the total order, from 0, without gaps
  std::uint32_t source = 0;    ///< index among the sources
  SplitId split = kNoSplit;    ///< kNoSplit: the slice is without input
  std::int64_t now_ms = 0;     ///< what the clock says while the slice is worked on
  std::vector<SplitEvent> events;
  std::optional<ToldTime> told;  ///< of the split, in place of max_event_time
  /// Watermarks of nodes behind the slice; the timeline's own.
  std::shared_ptr<const std::vector<std::int64_t>> times;
  /// If an epoch ends: what the engine's own sinks, by node, are to pass on of times.
  std::map<std::size_t, std::vector<ShardTime>> shard_times;
  std::int64_t max_event_time = kNoEventTime;
  std::uint64_t ends_epoch = 0;  ///< number of the epoch that ends with this slice, or 0
  bool is_last = false;          ///< of the run: an epoch ends, and no slice follows
  bool ends_input = false;       ///< all sources are exhausted: watermarks go to the end of time
  std::vector<PositionChange> positions;
  bool is_input = false;  ///< of `source`
  /// Operators make more of what is due of their state. Not with a slice that is chance, where all
  /// else is not.
  bool brings_pieces = true;
  std::uint64_t bytes = 0;
  std::uint32_t share = 0;  ///< of what may be under way (Flow)
  std::size_t queued = 0;   ///< slices of the source that were read ahead when this one was taken
  std::optional<Backlog> backlog;
};
using SliceInfoPtr = std::shared_ptr<SliceInfo>;

/// The memory that a slice's text lives in. RunContext by everything that holds records of the
/// slice.
struct SliceMemory {
  Arena arena;
  Slice slice;
  std::uint64_t counted_bytes = 0;  ///< by the pool
};

/// Records of one exchange edge from one sender to one receiver, for one slice.
struct ExchangePart {
  struct Row {
    OrderKey order;
    std::int64_t event_time;
    std::uint64_t id;
    std::uint64_t key_hash;
    Origin origin;
    std::uint32_t width;
    Change change;
  };
  std::vector<Row> rows;
  std::vector<Value> values;                         ///< rows' values, one after the other
  std::vector<std::shared_ptr<SliceMemory>> memory;  ///< keeps the text alive
  std::size_t edge = 0;
  unsigned sender = 0;
};

/// Encoded records for one sink from one thread and stage, for one slice.
struct SinkPart {
  std::size_t node = 0;
  std::string bytes;
  std::uint64_t records = 0;
  std::vector<OrderKey> order;  ///< of each record; only if there may be parts to merge
  std::vector<std::uint32_t> sizes;
};

/// Recycles the memory of slices and of what they turn into, so that steady work maps no new pages.
/// Thread-safe; what it keeps is bounded by the slices under way.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
 public:
  std::shared_ptr<SliceMemory> take();
  /// An empty part of the edge, and where it goes when its rows are processed.
  ExchangePart take_part(std::size_t edge);
  void give_back(ExchangePart part);
  /// An empty part for the sink, and where it goes when its bytes are written.
  SinkPart take_sink_part(std::size_t node);
  void give_back(SinkPart part);

  /// What the slices' memory takes that is free, or was when it was given out. What a slice grows
  /// by meanwhile counts when it comes back. Any thread.
  std::uint64_t slice_bytes() const { return slice_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kMostFree = 256;

  void give_back(SliceMemory* memory);
  std::atomic<std::uint64_t> slice_bytes_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<SliceMemory>> free_;
  std::map<std::size_t, std::vector<ExchangePart>> free_parts_;   // by edge: they are of one size
  std::map<std::size_t, std::vector<SinkPart>> free_sink_parts_;  // by node
};

struct NodeCounts {
  std::size_t node = 0;
  Outputs::Counts counts;
};

/// A node that has more to make of its state, and the earliest event time of that.
struct Held {
  std::size_t node = 0;
  std::int64_t time = kEndOfTime;
};

/// What a thread has to say when a stage of it is done with a slice.
struct SliceReport {
  SliceInfoPtr info;
  std::vector<NodeCounts> counts;
  std::vector<SinkPart> sinks;
  std::vector<std::shared_ptr<void>> changes;  ///< frozen tables, if an epoch ends
  std::vector<Held> held;                      ///< on this thread
  /// Where the time went, by node and then the engine's own; empty for most slices (SelfTimer).
  std::vector<std::int64_t> spent_ns;
};

}  // namespace huiliu::runtime
