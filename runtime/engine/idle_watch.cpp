#include <algorithm>

#include "runtime/engine/sequencer.h"

namespace huiliu::runtime {
namespace {

constexpr std::int64_t kLookMs = 20;
constexpr std::int64_t kMostStepMs =
    200;  ///< a longer gap between two looks is not input's silence

}  // namespace

IdleWatch::IdleWatch(const Topology& topology) {
  for (const Node& node : topology.nodes) {
    if (node.kind != ComponentKind::kSource) continue;
    const SourceDeclaration& declared = *node.source_declaration;
    Source& source = sources_.emplace_back();
    if (declared.event_time.field >= 0) {
      source.idle_ms = declared.event_time.idle_ms;
    }
  }
}

void IdleWatch::apply(const SplitEvent& event) {
  if (event.kind == SplitEvent::Kind::kHeld || event.kind == SplitEvent::Kind::kReleased) return;
  Source& source = sources_[event.source];
  source.silence = {clock_, event.kind == SplitEvent::Kind::kSourceIdle};
  switch (event.kind) {
    case SplitEvent::Kind::kAnnounced:
      ++source.splits;
      if (event.live) source.live[event.split] = {clock_, false};
      break;
    case SplitEvent::Kind::kEnded:
      --source.splits;
      source.live.erase(event.split);
      break;
    case SplitEvent::Kind::kSourceEnded:
      source.idle_ms = 0;
      break;
    default:
      break;
  }
}

void IdleWatch::saw(const SliceInfo& slice) {
  for (const SplitEvent& event : slice.events) apply(event);
  if (slice.split == kNoSplit) return;
  Source& source = sources_[slice.source];
  source.silence = {clock_, false};
  const auto split = source.live.find(slice.split);
  if (split != source.live.end()) split->second = {clock_, false, split->second.held};
}

void IdleWatch::look(std::int64_t now, bool taking, std::vector<SplitEvent>& events) {
  if (looked_ < 0) looked_ = now;
  const std::int64_t step = now - looked_;
  if (step < kLookMs) return;
  looked_ = now;
  if (!taking) return;
  clock_ += std::min(step, kMostStepMs);
  for (std::uint32_t index = 0; index < sources_.size(); ++index) {
    Source& source = sources_[index];
    if (source.idle_ms == 0 || source.blocked) continue;
    const auto is_idle = [&](Silence& silence) {
      if (silence.idle || silence.held || clock_ - silence.since < source.idle_ms) return false;
      silence.idle = true;
      return true;
    };
    for (auto& [split, silence] : source.live) {
      if (is_idle(silence)) events.push_back({SplitEvent::Kind::kIdle, index, split});
    }
    if (source.splits == 0 && is_idle(source.silence)) {
      events.push_back({SplitEvent::Kind::kSourceIdle, index});
    }
  }
}

void IdleWatch::hold(std::uint32_t source, SplitId split, bool held) {
  const auto found = sources_[source].live.find(split);
  if (found != sources_[source].live.end()) found->second = {clock_, false, held};
}

void IdleWatch::block(std::uint32_t source, bool blocked) {
  Source& of = sources_[source];
  of.blocked = blocked;
  of.silence.since = clock_;
  for (auto& [split, silence] : of.live) silence.since = clock_;
}

}  // namespace huiliu::runtime
