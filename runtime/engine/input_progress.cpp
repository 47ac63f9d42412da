#include "runtime/engine/input_progress.h"

#include <algorithm>
#include <tuple>

namespace huiliu::runtime {

InputBook::InputBook(const Topology& topology) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    if (topology.nodes[n].kind == ComponentKind::kSource) sources_.emplace_back().progress.node = n;
  }
}

void InputBook::apply(const SplitEvent& event) {
  Source& source = sources_[event.source];
  switch (event.kind) {
    case SplitEvent::Kind::kAnnounced:
      source.progress.idle = false;
      source.splits[event.split] = {.key = event.key, .time = event.time};
      break;
    case SplitEvent::Kind::kEnded:
      source.splits.erase(event.split);
      break;
    case SplitEvent::Kind::kIdle:
      source.splits[event.split].idle = true;
      break;
    case SplitEvent::Kind::kHeld:
    case SplitEvent::Kind::kReleased:
      source.splits[event.split].held = event.kind == SplitEvent::Kind::kHeld;
      break;
    case SplitEvent::Kind::kSourceIdle:
      source.progress.idle = true;
      break;
    case SplitEvent::Kind::kSourceEnded:
      source.progress.ended = true;
      source.splits.clear();
      break;
  }
}

void InputBook::saw(const SliceInfo& slice) {
  for (const SplitEvent& event : slice.events) apply(event);
  if (!slice.is_input) return;
  Source& source = sources_[slice.source];
  source.progress.bytes += slice.bytes;
  ++source.progress.slices;
  source.progress.queued = slice.queued;
  source.progress.idle = false;
  const auto found = source.splits.find(slice.split);
  if (found == source.splits.end()) return;
  SplitProgress& split = found->second;
  split.bytes += slice.bytes;
  split.heard_ms = slice.now_ms;
  if (slice.backlog) split.backlog = slice.backlog;
  split.idle = slice.told && slice.told->idle;
  split.time = std::max(split.time, slice.told ? slice.told->time : slice.max_event_time);
}

std::vector<SourceProgress> InputBook::view() const {
  const auto waited_for = [](const SplitProgress& one, const SplitProgress& other) {
    return std::tie(one.idle, one.time, one.key) < std::tie(other.idle, other.time, other.key);
  };
  std::vector<SourceProgress> view;
  for (const Source& source : sources_) {
    SourceProgress& shown = view.emplace_back(source.progress);
    shown.splits = source.splits.size();
    for (const auto& [id, split] : source.splits) {
      shown.idle_splits += split.idle;
      shown.held_splits += split.held;
      shown.furthest_behind.push_back(split);
    }
    auto& splits = shown.furthest_behind;
    const std::size_t most = std::min(splits.size(), SourceProgress::kMostShown);
    std::partial_sort(splits.begin(), splits.begin() + static_cast<std::ptrdiff_t>(most),
                      splits.end(), waited_for);
    splits.resize(most);
  }
  return view;
}

std::optional<TimeHolder> time_holder(const Topology& topology, std::size_t node,
                                      const std::vector<SourceProgress>& input) {
  const std::vector<std::size_t> reaching = sources_reaching(topology)[node];
  std::optional<TimeHolder> holder;
  std::int64_t least = kEndOfTime;
  for (const SourceProgress& source : input) {
    if (std::find(reaching.begin(), reaching.end(), source.node) == reaching.end()) continue;
    const EventTime& of = topology.nodes[source.node].source_declaration->event_time;
    if (of.field < 0 || source.idle || source.ended) continue;
    // A source that has nothing to read is waited for as a split is.
    const SplitProgress split =
        source.furthest_behind.empty() ? SplitProgress() : source.furthest_behind.front();
    if (split.idle) continue;
    const bool none = split.time == kNoEventTime;
    const std::int64_t reached = none ? kNoEventTime : split.time - of.out_of_orderness_ms;
    if (holder && reached >= least) continue;
    least = reached;
    holder = {source.node, split.key, split.time};
  }
  return holder;
}

}  // namespace huiliu::runtime
