#include "runtime/worker.h"

#include <algorithm>
#include <tuple>

#include "runtime/committer.h"
#include "runtime/failpoint.h"

namespace huiliu::runtime {

Inbox::Inbox(const Plan& plan)
    : expected_(plan.levels, 0), next_(plan.levels, 0), waiting_(plan.levels) {
  for (const Edge& edge : plan.edges) {
    if (edge.kind == EdgeKind::kFused) continue;
    // A slice passes level 0 on one thread, later levels on all of them.
    expected_[plan.level[edge.to]] += edge.level == 0 ? 1 : plan.parallelism;
  }
}

void Inbox::deliver(std::size_t level, const SliceInfoPtr& info, Part part) {
  const std::lock_guard lock(mutex_);
  Bundle& bundle = waiting_[level][info->sequence];
  bundle.info = info;
  ++bundle.arrived;
  if (!part.rows.empty()) bundle.parts.push_back(std::move(part));
}

bool Inbox::take(std::size_t level, Bundle& bundle) {
  const std::lock_guard lock(mutex_);
  auto& waiting = waiting_[level];
  const auto first = waiting.find(next_[level]);
  if (first == waiting.end() || first->second.arrived < expected_[level]) return false;
  bundle = std::move(first->second);
  waiting.erase(first);
  ++next_[level];
  return true;
}

Worker::Worker(Shared& shared, Sequencer& sequencer, Committer& committer, unsigned thread)
    : shared_(shared),
      sequencer_(sequencer),
      committer_(committer),
      chains_(shared, thread),
      inbox_(*shared.plan) {
  std::vector<EventTime> sources;
  for (const Node& node : shared.topology->nodes) {
    if (node.kind != ComponentKind::kSource) continue;
    const SourceDeclaration& declared = *node.source_declaration;
    sources.push_back({kNoEventTime, declared.lateness_ms,
                       declared.event_time_field >= 0 && declared.holds_watermark});
  }
  event_times_.assign(shared.plan->levels, sources);
}

bool Worker::step() {
  for (std::size_t level = shared_.plan->levels; level-- > 1;) {
    Inbox::Bundle bundle;
    if (inbox_.take(level, bundle)) {
      process_bundle(level, std::move(bundle));
      return true;
    }
  }
  if (auto work = sequencer_.pull()) {
    process_input(*work);
    return true;
  }
  return false;
}

void Worker::run() {
  constexpr std::int64_t kWaitMs = 5;
  while (!shared_.finished && !shared_.abandon) {
    const std::uint64_t seen = shared_.signals();
    if (!step()) shared_.wait_for_signal(seen, std::min(kWaitMs, sequencer_.ms_to_next()));
  }
}

void Worker::process_input(const Sequencer::Work& work) {
  std::shared_ptr<SliceMemory> memory = work.memory ? work.memory : shared_.pool->take();
  chains_.set_memory(0, memory);
  if (work.memory) {
    chains_.decode(work.source_node, memory->slice);
    work.info->max_event_time = chains_.take_max_event_time(work.source_node);
  }
  end_level(0, work.info);
}

void Worker::process_bundle(std::size_t level, Inbox::Bundle bundle) {
  const std::shared_ptr<SliceMemory> own = shared_.pool->take();
  chains_.set_memory(level, own);
  for (const Part& part : bundle.parts) {
    for (const auto& memory : part.memory) chains_.hold_memory(level, memory);
  }
  // Parts arrive in any order; the merge below must not depend on it.
  std::sort(bundle.parts.begin(), bundle.parts.end(), [](const Part& a, const Part& b) {
    return std::tie(a.edge, a.sender) < std::tie(b.edge, b.sender);
  });
  replay(bundle.parts);
  for (Part& part : bundle.parts) shared_.pool->give_back(std::move(part));
  end_level(level, bundle.info);
}

// Merges by ordinal: the order of the input, whatever threads the records came through.
void Worker::replay(const std::vector<Part>& parts) {
  struct Cursor {
    const Part* part;
    std::size_t row;
    const Value* values;
  };
  std::vector<Cursor> cursors;
  for (const Part& part : parts) cursors.push_back({&part, 0, part.values.data()});
  constexpr std::size_t kAhead = 8;  // far enough to hide a read of memory
  while (!cursors.empty()) {
    auto first = cursors.begin();
    for (auto it = cursors.begin() + 1; it != cursors.end(); ++it) {
      if (it->part->rows[it->row].ordinal < first->part->rows[first->row].ordinal) first = it;
    }
    if (first->row + kAhead < first->part->rows.size()) {
      chains_.expect(*first->part, first->row + kAhead);
    }
    chains_.receive(*first->part, first->row, first->values);
    first->values += first->part->rows[first->row].width;
    if (++first->row == first->part->rows.size()) cursors.erase(first);
  }
}

std::int64_t Worker::watermark_after(std::size_t level, const SliceInfo& info) {
  // What is judged again was late already when it came: it moves nobody's time.
  if (shared_.selection != nullptr) return kNoEventTime;
  if (info.ends_input) return kEndOfTime;
  auto& sources = event_times_[level];
  if (info.source < sources.size()) {
    EventTime& own = sources[info.source];
    own.latest = std::max(own.latest, info.max_event_time);
  }
  std::int64_t watermark = kEndOfTime;
  for (const EventTime& source : sources) {
    if (!source.used) continue;
    const std::int64_t reached =
        source.latest == kNoEventTime ? kNoEventTime : source.latest - source.lateness;
    watermark = std::min(watermark, reached);
  }
  return watermark == kEndOfTime ? kNoEventTime : watermark;
}

void Worker::end_level(std::size_t level, const SliceInfoPtr& info) {
  Report report;
  report.info = info;
  // With several threads level 0 holds stateless operators only, on whichever thread came first.
  const bool stateful = level > 0 || shared_.plan->parallelism == 1;
  if (stateful) {
    const std::int64_t watermark = watermark_after(level, *info);
    if (watermark != kNoEventTime) chains_.advance_watermark(level, watermark);
    const bool barrier =
        info->ends_epoch != 0 && !(mutant("epoch.lost_barrier") && info->ends_epoch % 2 == 0);
    if (barrier) report.changes = chains_.end_epoch(level, info->ends_epoch);
  }
  for (Chains::Outgoing& outgoing : chains_.take_parts(level)) {
    if (mutant("exchange.lost_row") && !outgoing.part.rows.empty()) outgoing.part.rows.pop_back();
    const std::size_t to = shared_.plan->level[shared_.plan->edges[outgoing.edge].to];
    peers_[outgoing.receiver]->inbox().deliver(to, info, std::move(outgoing.part));
  }
  report.sinks = chains_.take_sinks(level);
  report.counts = chains_.take_counts(level);
  committer_.push(std::move(report));
  shared_.signal();
}

}  // namespace huiliu::runtime
