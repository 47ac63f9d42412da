#include "runtime/engine/engine_thread.h"

#include <algorithm>
#include <chrono>

#include "runtime/base/failpoint.h"
#include "runtime/engine/committer.h"

namespace huiliu::runtime {

Inbox::Inbox(const Plan& plan)
    : expected_(plan.stages, 0), next_(plan.stages, 0), waiting_(plan.stages) {
  for (const Edge& edge : plan.edges) {
    if (edge.kind == EdgeKind::kFused) continue;
    // A slice passes stage 0 on one thread, later stages on all of them.
    expected_[plan.stage[edge.to]] += edge.stage == 0 ? 1 : plan.parallelism;
  }
}

void Inbox::deliver(std::size_t stage, const SliceInfoPtr& info, ExchangePart part,
                    const std::vector<Held>& held) {
  const std::lock_guard lock(mutex_);
  ArrivedSlice& arrived = waiting_[stage][info->sequence];
  arrived.info = info;
  ++arrived.arrived;
  arrived.held.insert(arrived.held.end(), held.begin(), held.end());
  if (!part.rows.empty()) arrived.parts.push_back(std::move(part));
}

bool Inbox::take(std::size_t stage, ArrivedSlice& arrived) {
  const std::lock_guard lock(mutex_);
  auto& waiting = waiting_[stage];
  const auto first = waiting.find(next_[stage]);
  if (first == waiting.end() || first->second.arrived < expected_[stage]) return false;
  arrived = std::move(first->second);
  waiting.erase(first);
  ++next_[stage];
  return true;
}

EngineThread::EngineThread(RunContext& run, Sequencer& sequencer, Timeline& timeline,
                           Committer& committer, unsigned thread)
    : run_(run),
      sequencer_(sequencer),
      timeline_(timeline),
      committer_(committer),
      chains_(run, thread),
      inbox_(*run.plan) {}

bool EngineThread::step() {
  for (std::size_t stage = run_.plan->stages; stage-- > 1;) {
    Inbox::ArrivedSlice arrived;
    if (inbox_.take(stage, arrived)) {
      process_arrived(stage, std::move(arrived));
      return true;
    }
  }
  if (auto work = sequencer_.pull()) {
    process_input(*work);
    return true;
  }
  return false;
}

void EngineThread::run() {
  while (!run_.end.finished && !run_.end.abandon) {
    const std::uint64_t seen = run_.bell.rings();
    if (!step()) wait(seen);
  }
}

void EngineThread::wait(std::uint64_t seen) {
  const bool blocked = run_.flow.is_full();
  const auto start = std::chrono::steady_clock::now();
  run_.bell.wait(seen, sequencer_.ms_to_next());
  const auto waited = std::chrono::steady_clock::now() - start;
  (blocked ? blocked_us_ : idle_us_)
      .fetch_add(std::chrono::duration_cast<std::chrono::microseconds>(waited).count(),
                 std::memory_order_relaxed);
}

ThreadFigures EngineThread::figures() const {
  constexpr double kMicro = 1e-6;
  return {static_cast<double>(idle_us_.load(std::memory_order_relaxed)) * kMicro,
          static_cast<double>(blocked_us_.load(std::memory_order_relaxed)) * kMicro};
}

void EngineThread::process_input(const Sequencer::Work& work) {
  if (SelfTimer::looks_at(work.info->sequence)) chains_.start_timing();
  std::shared_ptr<SliceMemory> memory = work.memory ? work.memory : run_.pool->take();
  chains_.set_memory(0, memory);
  chains_.begin_slice(0, work.info->now_ms);
  if (work.memory) {
    chains_.decode(work.source_node, memory->slice);
    work.info->max_event_time = chains_.take_max_event_time(work.source_node);
    sequencer_.decoded(*work.info);
  }
  end_stage(0, work.info);
}

void EngineThread::process_arrived(std::size_t stage, Inbox::ArrivedSlice arrived) {
  if (SelfTimer::looks_at(arrived.info->sequence)) chains_.start_timing();
  const std::shared_ptr<SliceMemory> own = run_.pool->take();
  chains_.set_memory(stage, own);
  chains_.begin_slice(stage, arrived.info->now_ms);
  chains_.hold_back(stage, arrived.held);
  for (const ExchangePart& part : arrived.parts) {
    for (const auto& memory : part.memory) chains_.hold_memory(stage, memory);
  }
  replay(arrived.parts);
  for (ExchangePart& part : arrived.parts) run_.pool->give_back(std::move(part));
  end_stage(stage, arrived.info);
}

// Merges by order key: parts arrive in any order, and records come as one thread would have them.
void EngineThread::replay(const std::vector<ExchangePart>& parts) {
  struct Cursor {
    const ExchangePart* part;
    std::size_t row;
    const Value* values;
  };
  std::vector<Cursor> cursors;
  for (const ExchangePart& part : parts) cursors.push_back({&part, 0, part.values.data()});
  constexpr std::size_t kAhead = 8;  // far enough to hide a read of memory
  while (!cursors.empty()) {
    auto first = cursors.begin();
    for (auto it = cursors.begin() + 1; it != cursors.end(); ++it) {
      if (mutant("order.by_thread")) break;  // the parts come as their threads were done
      if (it->part->rows[it->row].order < first->part->rows[first->row].order) first = it;
    }
    if (first->row + kAhead < first->part->rows.size()) {
      chains_.expect(*first->part, first->row + kAhead);
    }
    chains_.receive(*first->part, first->row, first->values);
    first->values += first->part->rows[first->row].width;
    if (++first->row == first->part->rows.size()) cursors.erase(first);
  }
}

void EngineThread::end_stage(std::size_t stage, const SliceInfoPtr& info) {
  SliceReport report;
  report.info = info;
  // With several threads stage 0 holds stateless operators only, on whichever thread came first.
  const bool stateful = stage > 0 || run_.plan->parallelism == 1;
  if (stateful) {
    const std::shared_ptr<const NodeTimes> times = timeline_.after(*info);
    const bool barrier =
        info->ends_epoch != 0 && !(mutant("epoch.lost_barrier") && info->ends_epoch % 2 == 0);
    chains_.end_slice(stage, *times, *info, barrier);
    if (barrier) report.changes = chains_.freeze(stage, info->ends_epoch);
  }
  report.held = chains_.held(stage);
  for (Chains::Outgoing& outgoing : chains_.take_parts(stage)) {
    if (mutant("exchange.lost_row") && !outgoing.part.rows.empty()) outgoing.part.rows.pop_back();
    const std::size_t to = run_.plan->stage[run_.plan->edges[outgoing.edge].to];
    peers_[outgoing.receiver]->inbox().deliver(to, info, std::move(outgoing.part), report.held);
  }
  report.sinks = chains_.take_sinks(stage);
  report.counts = chains_.take_counts(stage);
  report.spent_ns = chains_.stop_timing();
  committer_.push(std::move(report));
  run_.bell.ring();
}

}  // namespace huiliu::runtime
