#include "runtime/engine/alignment.h"

#include <algorithm>

namespace huiliu::runtime {

Alignment::Alignment(const Topology& topology) {
  for (const Node& node : topology.nodes) {
    if (node.kind != ComponentKind::kSource) continue;
    const EventTime& time = node.source_declaration->event_time;
    if (time.field < 0 || time.align_most_ms < 0) {
      names_.emplace_back();
      continue;
    }
    // No source has this name, since names have no slash.
    names_.push_back(time.align_group.empty() ? "/" + node.name : time.align_group);
    Group& group = groups_[names_.back()];
    group.most_ms =
        group.most_ms == 0 ? time.align_most_ms : std::min(group.most_ms, time.align_most_ms);
  }
}

Alignment::Group* Alignment::group_of(std::uint32_t source) {
  const auto group = groups_.find(names_[source]);
  return group == groups_.end() ? nullptr : &group->second;
}

void Alignment::saw(const SliceInfo& slice) {
  for (const SplitEvent& event : slice.events) {
    Group* const group = group_of(event.source);
    if (group == nullptr) continue;
    changed_ = true;
    const std::pair id(event.source, event.split);
    if (event.kind == SplitEvent::Kind::kAnnounced) {
      group->splits[id] = {event.time};
    } else if (event.kind == SplitEvent::Kind::kEnded) {
      group->splits.erase(id);
    } else if (event.kind == SplitEvent::Kind::kIdle) {
      group->splits[id].idle = true;
    } else if (event.kind == SplitEvent::Kind::kSourceEnded) {
      std::erase_if(group->splits,
                    [&](const auto& split) { return split.first.first == event.source; });
    }
  }
}

void Alignment::reached(const SliceInfo& slice) {
  Group* const group = slice.split == kNoSplit ? nullptr : group_of(slice.source);
  if (group == nullptr) return;
  const auto found = group->splits.find({slice.source, slice.split});
  if (found == group->splits.end()) return;
  Split& split = found->second;
  changed_ = changed_ || split.idle || slice.max_event_time > split.time;
  split.idle = false;
  split.time = std::max(split.time, slice.max_event_time);
}

std::vector<Alignment::Change> Alignment::changes() {
  std::vector<Change> changes;
  if (!std::exchange(changed_, false)) return changes;
  for (auto& [name, group] : groups_) {
    std::int64_t least = kEndOfTime;
    for (const auto& [id, split] : group.splits) {
      if (!split.idle && split.time != kNoEventTime) least = std::min(least, split.time);
    }
    for (auto& [id, split] : group.splits) {
      const bool held = split.time != kNoEventTime && split.time > least &&
                        static_cast<std::uint64_t>(split.time) - static_cast<std::uint64_t>(least) >
                            static_cast<std::uint64_t>(group.most_ms);
      if (held == split.held) continue;
      split.held = held;
      changes.push_back({id.first, id.second, held});
    }
  }
  return changes;
}

}  // namespace huiliu::runtime
