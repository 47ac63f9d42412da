#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "runtime/engine/messages.h"
#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// How far one source has come in event time, over its splits.
class SourceTime {
 public:
  explicit SourceTime(std::int64_t out_of_orderness_ms)
      : out_of_orderness_ms_(out_of_orderness_ms) {}

  void apply(const SplitEvent& event);
  /// The split has given records, the latest of this time; kNoEventTime if none has any.
  void reached(std::uint32_t split, std::int64_t time);
  /// The split's time was told.
  void told(std::uint32_t split, const ToldTime& time);
  /// All that a slice brings has been said.
  void advance();

  /// Takes no part: it will give nothing any more.
  bool ended() const { return ended_; }
  /// Takes no part for now: nothing has come for so long that others are not held up.
  bool idle() const { return !ended_ && (idle_ || (active_.empty() && !splits_.empty())); }
  /// Never goes back. kNoEventTime: a split is yet to say.
  std::int64_t watermark() const { return watermark_; }
  /// Adds what the splits of the shard say to what other sources' do; false if one is yet to say.
  bool add_shard(int shard, ShardTime& sum) const;

 private:
  struct Split {
    std::int64_t time = kNoEventTime;
    int shard = -1;
    bool active = true;
  };
  void set_active(Split& split, bool active);
  void set_time(Split& split, std::int64_t time);
  std::int64_t less_disorder(std::int64_t time) const;

  std::int64_t out_of_orderness_ms_;
  std::map<std::uint32_t, Split> splits_;  // those that have not ended
  std::multiset<std::int64_t> active_;     // times of those that others wait for
  std::int64_t latest_ = kNoEventTime;
  std::int64_t watermark_ = kNoEventTime;
  bool idle_ = false, ended_ = false;
};

/// Tells of no time that is later than `held`: rows of that time are yet to be made, whatever shard
/// of the input they came from.
void hold_back(std::vector<ShardTime>& times, std::int64_t held);

/// Watermarks of nodes, by node; kNoEventTime where there is none.
using NodeTimes = std::vector<std::int64_t>;

/// What watermark each node has after each slice. It is a function of the slices up to there and of
/// nothing else, so all threads find the same. A node's is the least over those sources that the
/// node can have records of; idle and ended ones do not count, and it never goes back. Where all
/// are idle, it is the greatest: what has come so far is all that there is.
class Timeline {
 public:
  /// `shards`: those of this process, where several share the work.
  explicit Timeline(const Topology& topology, std::vector<std::uint16_t> shards = {});

  /// From now on no watermark advances: the records are old ones that an earlier run has read.
  void stand_still() { stands_still_ = true; }
  /// Watermarks behind the slice, which is decoded. Any thread, each in the order of slices.
  std::shared_ptr<const NodeTimes> after(SliceInfo& slice);

 private:
  void advance(const SliceInfo& slice);
  std::int64_t of_node(std::size_t node) const;
  std::vector<ShardTime> times_of_shards(std::size_t sink);

  std::mutex mutex_;
  std::uint64_t next_ = 0;
  bool stands_still_ = false;
  std::vector<SourceTime> sources_;
  std::vector<bool> timed_;                        // per source: whether its records have times
  std::vector<std::vector<std::size_t>> reached_;  // per node: the sources whose records reach it
  std::shared_ptr<const NodeTimes> times_;
  std::vector<std::uint16_t> shards_;
  std::vector<std::size_t> sinks_;  // which pass times on
  std::map<std::pair<std::size_t, std::uint16_t>, std::int64_t> passed_on_;
};

}  // namespace huiliu::runtime
