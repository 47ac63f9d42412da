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
      splits_[event.split] = {event.time, true};
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
    case SplitEvent::Kind::kSourceIdle:
      idle_ = true;
      break;
    case SplitEvent::Kind::kSourceEnded:
      ended_ = true;
      break;
  }
}

void SourceTime::reached(std::uint32_t split, std::int64_t time) {
  idle_ = false;
  const auto found = splits_.find(split);
  HUILIU_CHECK(found != splits_.end());
  set_active(found->second, true);
  if (time > found->second.time) {
    active_.erase(active_.find(found->second.time));
    active_.insert(time);
    found->second.time = time;
    latest_ = std::max(latest_, time);
  }
}

void SourceTime::advance() {
  if (active_.empty() && !idle()) return;
  const std::int64_t least = active_.empty() ? latest_ : *active_.begin();
  if (least == kNoEventTime) return;
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min() + 1;
  const std::int64_t reached =
      least < kLeast + out_of_orderness_ms_ ? kLeast : least - out_of_orderness_ms_;
  watermark_ = std::max(watermark_, reached);
}

Timeline::Timeline(const Topology& topology)
    : times_(std::make_shared<const NodeTimes>(topology.nodes.size(), kNoEventTime)) {
  std::vector<std::size_t> index(topology.nodes.size());
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    if (node.kind != ComponentKind::kSource) continue;
    const SourceDeclaration& declared = *node.source_declaration;
    index[n] = sources_.size();
    timed_.push_back(declared.event_time.field >= 0 && declared.holds_watermark);
    sources_.emplace_back(declared.event_time.out_of_orderness_ms);
  }
  for (const std::vector<std::size_t>& nodes : sources_reaching(topology)) {
    std::vector<std::size_t>& reached = reached_.emplace_back();
    for (const std::size_t node : nodes) reached.push_back(index[node]);
  }
}

std::shared_ptr<const NodeTimes> Timeline::after(SliceInfo& slice) {
  const std::lock_guard lock(mutex_);
  if (slice.sequence < next_) return slice.times;
  HUILIU_CHECK(slice.sequence == next_);
  ++next_;
  if (!stands_still_) advance(slice);
  slice.times = times_;
  return times_;
}

void Timeline::advance(const SliceInfo& slice) {
  for (const SplitEvent& event : slice.events) sources_[event.source].apply(event);
  if (slice.split != kNoSplit) {
    sources_[slice.source].reached(slice.split, slice.max_event_time);
  }
  for (SourceTime& source : sources_) source.advance();
  NodeTimes times = *times_;
  for (std::size_t node = 0; node < times.size(); ++node) {
    times[node] = slice.ends_input ? kEndOfTime : std::max(times[node], of_node(node));
  }
  if (times != *times_) times_ = std::make_shared<const NodeTimes>(std::move(times));
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

}  // namespace huiliu::runtime
