#include "runtime/engine/timeline.h"

#include <algorithm>
#include <limits>

#include "runtime/base/check.h"
#include "runtime/base/failpoint.h"

namespace huiliu::runtime {

void SourceTime::set_active(Split& split, bool active) {
  if (split.active == active) return;
  split.active = active;
  if (active) {
    active_.insert(split.time);
  } else {
    active_.erase(active_.find(split.time));
  }
}

void SourceTime::apply(const SplitEvent& event) {
  switch (event.kind) {
    case SplitEvent::Kind::kAnnounced:
      idle_ = false;
      splits_[event.split] = {event.time, event.shard, true};
      latest_ = std::max(latest_, event.time);
      active_.insert(event.time);
      break;
    case SplitEvent::Kind::kEnded: {
      const auto split = splits_.find(event.split);
      HUILIU_CHECK(split != splits_.end());
      if (mutant("time.ended_holds")) break;
      set_active(split->second, false);
      splits_.erase(split);
      break;
    }
    case SplitEvent::Kind::kIdle:
      if (mutant("time.idle_holds")) break;
      set_active(splits_.at(event.split), false);
      break;
    case SplitEvent::Kind::kHeld:
    case SplitEvent::Kind::kReleased:
      break;
    case SplitEvent::Kind::kSourceIdle:
      idle_ = true;
      break;
    case SplitEvent::Kind::kSourceEnded:
      ended_ = true;
      break;
  }
}

void SourceTime::set_time(Split& split, std::int64_t time) {
  if (time <= split.time) return;
  if (split.active) {
    active_.erase(active_.find(split.time));
    active_.insert(time);
  }
  split.time = time;
  latest_ = std::max(latest_, time);
}

void SourceTime::reached(std::uint32_t split, std::int64_t time) {
  idle_ = false;
  Split& found = splits_.at(split);
  set_active(found, true);
  set_time(found, time);
}

void SourceTime::told(std::uint32_t split, const ToldTime& time) {
  Split& found = splits_.at(split);
  set_active(found, !time.idle);
  set_time(found, time.time);
}

std::int64_t SourceTime::less_disorder(std::int64_t time) const {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min() + 1;
  return time < kLeast + out_of_orderness_ms_ ? kLeast : time - out_of_orderness_ms_;
}

void SourceTime::advance() {
  if (active_.empty() && !idle()) return;
  const std::int64_t least = active_.empty() ? latest_ : *active_.begin();
  if (least != kNoEventTime) watermark_ = std::max(watermark_, less_disorder(least));
}

bool SourceTime::add_shard(int shard, ShardTime& sum) const {
  for (const auto& [id, split] : splits_) {
    if (split.shard != shard) continue;
    if (split.active && split.time == kNoEventTime) return false;
    const std::int64_t time = split.time == kNoEventTime ? kNoEventTime : less_disorder(split.time);
    if (split.active) {
      const bool first = sum.state != ShardTime::State::kTime;
      sum = {sum.shard, ShardTime::State::kTime, first ? time : std::min(sum.time, time)};
    } else if (sum.state != ShardTime::State::kTime) {
      sum = {sum.shard, ShardTime::State::kIdle, std::max(sum.time, time)};
    }
  }
  return true;
}

void hold_back(std::vector<ShardTime>& times, std::int64_t held) {
  if (held == kEndOfTime || mutant("time.held_untold")) return;
  for (ShardTime& time : times) {
    const bool reached = time.state == ShardTime::State::kTime && time.time <= held;
    if (!reached) time = {time.shard, ShardTime::State::kTime, held};
  }
}

Timeline::Timeline(const Topology& topology, std::vector<std::uint16_t> shards)
    : times_(std::make_shared<const NodeTimes>(topology.nodes.size(), kNoEventTime)),
      shards_(std::move(shards)) {
  std::vector<std::size_t> index(topology.nodes.size());
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    if (node.kind != ComponentKind::kSource) continue;
    const SourceDeclaration& declared = *node.source_declaration;
    index[n] = sources_.size();
    timed_.push_back(declared.event_time.field >= 0);
    sources_.emplace_back(declared.event_time.out_of_orderness_ms);
  }
  for (const std::vector<std::size_t>& nodes : sources_reaching(topology)) {
    std::vector<std::size_t>& reached = reached_.emplace_back();
    bool timed = false;
    for (const std::size_t node : nodes) {
      reached.push_back(index[node]);
      timed = timed || timed_[index[node]];
    }
    const Node& node = topology.nodes[reached_.size() - 1];
    if (timed && node.internal && node.kind == ComponentKind::kSink) {
      sinks_.push_back(reached_.size() - 1);
    }
  }
}

std::shared_ptr<const NodeTimes> Timeline::after(SliceInfo& slice) {
  const std::lock_guard lock(mutex_);
  if (slice.sequence < next_) return slice.times;
  HUILIU_CHECK(slice.sequence == next_);
  ++next_;
  if (!stands_still_) advance(slice);
  if (slice.ends_epoch != 0) {
    for (const std::size_t sink : sinks_) slice.shard_times[sink] = times_of_shards(sink);
  }
  slice.times = times_;
  return times_;
}

void Timeline::advance(const SliceInfo& slice) {
  for (const SplitEvent& event : slice.events) sources_[event.source].apply(event);
  if (slice.split != kNoSplit) {
    SourceTime& source = sources_[slice.source];
    if (slice.told) {
      source.told(slice.split, *slice.told);
    } else {
      source.reached(slice.split, slice.max_event_time);
    }
  }
  for (SourceTime& source : sources_) source.advance();
  std::shared_ptr<NodeTimes> changed;
  for (std::size_t node = 0; node < times_->size(); ++node) {
    const std::int64_t time = slice.ends_input ? kEndOfTime : of_node(node);
    if (time <= (*times_)[node]) continue;
    if (!changed) changed = std::make_shared<NodeTimes>(*times_);
    (*changed)[node] = time;
  }
  if (changed) times_ = std::move(changed);
}

std::int64_t Timeline::of_node(std::size_t node) const {
  std::int64_t least = kEndOfTime, greatest = kNoEventTime;
  bool any = false, all_ended = true, all_idle = true;
  for (const std::size_t source : reached_[node]) {
    if (!timed_[source]) continue;
    any = true;
    const SourceTime& time = sources_[source];
    greatest = std::max(greatest, time.watermark());
    if (time.ended()) continue;
    all_ended = false;
    if (time.idle()) continue;
    all_idle = false;
    least = std::min(least, time.watermark());
  }
  if (!any) return kNoEventTime;
  if (all_ended) return kEndOfTime;
  return all_idle ? greatest : least;
}

// Never back: a split that is new to the shard may be behind what others were told already, and its
// records are late then.
std::vector<ShardTime> Timeline::times_of_shards(std::size_t sink) {
  std::vector<ShardTime> times;
  for (const std::uint16_t shard : shards_) {
    ShardTime time{shard};
    const bool known =
        std::all_of(reached_[sink].begin(), reached_[sink].end(), [&](std::size_t source) {
          return !timed_[source] || sources_[source].add_shard(shard, time);
        });
    if (!known) continue;
    std::int64_t& before = passed_on_.try_emplace({sink, shard}, kNoEventTime).first->second;
    before = time.time = std::max(time.time, before);
    times.push_back(time);
  }
  return times;
}

}  // namespace huiliu::runtime
