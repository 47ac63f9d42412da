#include "runtime/engine/sequencer.h"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "runtime/topology/receipts.h"

namespace huiliu::runtime {
namespace {

bool moves_time(SplitEvent::Kind kind) {
  return kind != SplitEvent::Kind::kAnnounced && kind != SplitEvent::Kind::kHeld &&
         kind != SplitEvent::Kind::kReleased;
}

/// Sources of inputs that others look things up in (InputDescriptor::first).
std::set<std::size_t> sources_to_read_first(const Topology& topology) {
  const std::vector<std::vector<std::size_t>> reaching = sources_reaching(topology);
  std::set<std::size_t> first;
  for (const Node& node : topology.nodes) {
    for (std::size_t i = 0; i < node.descriptor->inputs.size(); ++i) {
      if (!node.descriptor->inputs[i].first) continue;
      const auto& sources = reaching[node.inputs[i].node];
      first.insert(sources.begin(), sources.end());
    }
  }
  return first;
}

}  // namespace

Sequencer::Sequencer(RunContext& run) : run_(run), idle_(*run.topology), alignment_(*run.topology) {
  for (const Node& node : run.topology->nodes) {
    needs_time_ = needs_time_ || node.descriptor->needs_event_time;
  }
  needs_time_ = needs_time_ || alignment_.is_used();
}

Status Sequencer::open(std::uint64_t next_epoch) {
  next_epoch_ = next_epoch;
  epoch_started_ = run_.clock->steady_ms();
  const auto& nodes = run_.topology->nodes;
  strict_ = true;
  const std::set<std::size_t> first = sources_to_read_first(*run_.topology);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (nodes[n].kind != ComponentKind::kSource) continue;
    const auto index = static_cast<std::uint32_t>(feeds_.size());
    Feed& feed = *feeds_.emplace_back(std::make_unique<Feed>(run_, n, index));
    HUILIU_RETURN_IF_ERROR(feed.open());
    strict_ = strict_ && feed.is_bounded();
    if (const Node* sink = sink_of_receipts(*run_.topology, nodes[n])) {
      receipts_.push_back(index);
      receipts_of_.push_back({index, static_cast<std::size_t>(sink - nodes.data()), {}});
      continue;
    }
    (nodes[n].internal ? own_ : turns_).push_back(index);
    if (first.contains(n)) first_.push_back(index);
  }
  find_feeds_of_sinks();
  for (const auto& feed : feeds_) gather_events(*feed);
  // Where several processes share the work, each says first what its shards have, since those who
  // wait for them may have nothing else to wait for.
  const bool passes_time_on = std::any_of(nodes.begin(), nodes.end(), [](const Node& node) {
    return node.internal && node.kind == ComponentKind::kSink;
  });
  says_times_ = needs_time_ && passes_time_on;
  goes_on_ = says_times_ ||
             (needs_time_ && std::any_of(events_.begin(), events_.end(), [](const auto& event) {
                return event.time != kNoEventTime;
              }));
  return Status::ok();
}

void Sequencer::find_feeds_of_sinks() {
  blocked_.assign(feeds_.size(), false);
  const auto& nodes = run_.topology->nodes;
  const auto reaching = sources_reaching(*run_.topology);
  const auto feeds_of = [&](std::size_t sink) {
    std::vector<std::uint32_t> found;
    for (std::uint32_t feed = 0; feed < feeds_.size(); ++feed) {
      if (std::ranges::count(reaching[sink], feeds_[feed]->node()) > 0) found.push_back(feed);
    }
    return found;
  };
  for (Receipts& receipts : receipts_of_) receipts.before = feeds_of(receipts.sink);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const bool fed = nodes[n].kind == ComponentKind::kSink && nodes[n].sink->create_outbox_sink;
    if (fed) fed_.push_back({n, feeds_of(n)});
  }
}

void Sequencer::start() {
  threaded_ = true;
  for (const auto& feed : feeds_) feed->start();
}

void Sequencer::stop() {
  for (const auto& feed : feeds_) feed->stop();
  for (const auto& feed : feeds_) feed->join();
}

bool Sequencer::is_committing() const { return run_.backend->last_epoch() + 1 != next_epoch_; }

// Where a commit takes longer than an epoch, the epoch goes on until the one before is committed:
// epochs that queued up would each wait for their own commit. And when the tables' memory is full,
// the commit that is under way may free it.
bool Sequencer::epoch_is_due(std::int64_t now, const Pacing& pacing) const {
  if (is_committing()) return false;
  return pacing.end_epoch || now - epoch_started_ >= run_.topology->epoch_ms;
}

void Sequencer::end_epoch(SliceInfo& info, std::int64_t now) {
  info.ends_epoch = next_epoch_++;
  epoch_started_ = now;
  dirty_ = false;
}

void Sequencer::stamp(SliceInfo& info) {
  info.sequence = next_sequence_++;
  info.now_ms = run_.clock->now_ms();
  if (!info.brings_pieces) return;
  info.events.insert(info.events.begin(), std::make_move_iterator(events_.begin()),
                     std::make_move_iterator(events_.end()));
  events_.clear();
  idle_.saw(info);
  if (!alignment_.is_used()) return;
  alignment_.saw(info);
  align();
}

// A slice without input, or while operators hold rows back, may bring as much of their state as
// fits into a full one.
void Sequencer::begin(SliceInfo& info) {
  constexpr std::uint32_t kFull = Flow::kFullShare;
  info.share = kFull;
  if (info.is_input && run_.flow.holding == 0) {
    const std::uint64_t part = info.bytes * kFull / std::max<std::size_t>(run_.slice_bytes, 1);
    info.share = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(part, 1, kFull));
  }
  run_.flow.begin(info.share);
}

Sequencer::Work Sequencer::control(bool ends_input, bool ends_epoch, bool brings_pieces) {
  Work work;
  work.info = std::make_shared<SliceInfo>();
  work.info->brings_pieces = brings_pieces;
  work.info->ends_input = ends_input;
  stamp(*work.info);
  dirty_ = true;
  if (ends_epoch) end_epoch(*work.info, run_.clock->steady_ms());
  begin(*work.info);
  return work;
}

Sequencer::Work Sequencer::input(Feed& feed, std::uint32_t index, std::int64_t now) {
  Feed::Taken taken = feed.take();
  Slice& slice = taken.memory->slice;
  Work work;
  work.info = std::make_shared<SliceInfo>();
  work.info->source = index;
  work.info->split = slice.split;
  work.info->events = std::move(taken.events);
  work.info->told = std::move(slice.told);
  work.info->positions = std::move(slice.positions);
  work.info->is_input = true;
  run_.flow.uncommitted_bytes.fetch_add(slice.bytes.size(), std::memory_order_relaxed);
  work.info->bytes = slice.bytes.size();
  work.info->queued = taken.queued;
  work.info->backlog = slice.backlog;
  work.memory = std::move(taken.memory);
  work.source_node = feed.node();
  stamp(*work.info);
  dirty_ = true;
  if (epoch_is_due(now, run_.backend->pacing())) end_epoch(*work.info, now);
  begin(*work.info);
  return work;
}

// Sources take turns. Where all input is bounded, a source whose next slice is still being read is
// waited for, so that two runs take the same turns.
std::optional<Sequencer::Work> Sequencer::next_of(const std::vector<std::uint32_t>& feeds,
                                                  std::size_t& next, std::int64_t now) {
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const std::size_t turn = (next + i) % feeds.size();
    if (blocked_[feeds[turn]]) continue;
    Feed& feed = *feeds_[feeds[turn]];
    const Feed::State state = feed.look(now);
    if (state == Feed::State::kReady) {
      next = turn + 1;
      return input(feed, feeds[turn], now);
    }
    if (state == Feed::State::kReading && strict_ && threaded_) return std::nullopt;
    gather_events(feed);
  }
  return std::nullopt;
}

// The engine's own topics first: what is between two of its nodes is finished before more is begun.
std::optional<Sequencer::Work> Sequencer::next_input(std::int64_t now) {
  if (auto work = next_of(own_, next_own_, now)) return work;
  if (auto work = next_of(receipts_, next_receipts_, now)) return work;
  const auto caught_up = [&](std::uint32_t feed) { return feeds_[feed]->has_caught_up(now); };
  if (std::all_of(first_.begin(), first_.end(), caught_up)) {
    for (const std::uint32_t feed : first_) gather_events(*feeds_[feed]);
    first_.clear();
  }
  if (!first_.empty()) return next_of(first_, next_first_, now);
  return next_of(turns_, next_, now);
}

// Of a source whose turn it is and that has no slice for it.
void Sequencer::gather_events(Feed& feed) {
  for (SplitEvent& event : feed.take_events()) events_.push_back(std::move(event));
}

std::optional<Sequencer::Work> Sequencer::pull() {
  const std::lock_guard lock(mutex_);
  if (done_ || run_.end.abandon || run_.flow.is_full()) return std::nullopt;
  const Pacing pacing = run_.backend->pacing();
  if (pacing.reopen) run_.end.stop = true;
  if (run_.end.stop) return last(false);
  const std::int64_t now = run_.clock->steady_ms();
  if (run_.requests.drain) return drained(now, pacing);
  // The times of an earlier run come before the first record, which may be late.
  if (goes_on_) {
    goes_on_ = false;
    Work work = control(false, false);
    dirty_ = says_times_;
    return work;
  }
  look_for_pause();
  if (paused_ && !pause_told_) return end_of_what_was_read(now, pacing);
  // The tables are full again before the flusher has written what they held: nothing is read until
  // it has.
  if (pacing.pause) return std::nullopt;
  // A store that is behind stops the input that feeds it, and no epoch: a transaction that stays
  // open would end with its timeout.
  const bool taking = !look_for_full_outboxes() && !paused_;
  if (paused_) {
    // What other workers pass on to this one is no outside source: they may wait for it.
    const bool one_more = mutant("pause.one_more") && !dirty_;
    if (auto work = one_more ? next_input(now) : next_of(own_, next_own_, now)) return work;
  } else if (auto work = next_input(now)) {
    return work;
  }
  return without_input(now, pacing, taking);
}

// What feeds a full outbox is not taken; other input is. Where nothing is chance all input waits,
// so that sources take the same turns. True if an outbox is full.
bool Sequencer::look_for_full_outboxes() {
  bool changed = false, any = false;
  for (Fed& fed : fed_) {
    const bool full = run_.is_outbox_full(fed.sink);
    any = any || full;
    if (full == fed.full) continue;
    changed = true;
    fed.full = full;
    const Node& sink = run_.topology->nodes[fed.sink];
    if (full) {
      spdlog::warn("{}: {} MiB wait in its outbox, as much as may; what feeds it is not read now",
                   sink.name, sink.sink_declaration->outbox_bytes >> 20);
    } else {
      spdlog::info("{}: what feeds it is read again", sink.name);
    }
  }
  if (changed) block_feeds(any && strict_);
  return any;
}

void Sequencer::block_feeds(bool all) {
  std::vector<bool> blocked(feeds_.size(), all);
  for (const Fed& fed : fed_) {
    for (const std::uint32_t feed : fed.by) blocked[feed] = blocked[feed] || fed.full;
  }
  for (std::uint32_t feed = 0; feed < feeds_.size(); ++feed) {
    if (blocked[feed] != blocked_[feed]) idle_.block(feed, blocked[feed]);
  }
  blocked_.swap(blocked);
}

// A command has its place in the order because it is looked for between two slices, under the lock.
void Sequencer::look_for_pause() {
  const bool asked = run_.requests.look();
  if (asked == paused_) return;
  paused_ = asked;
  pause_told_ = false;
}

// What operators have more to make of their state is a part of what was read. Where nothing is
// chance it comes with the next input, and only there, so that two runs give the same slices.
bool Sequencer::is_worked_off() const {
  return strict_ || (run_.flow.in_flight == 0 && run_.flow.holding == 0);
}

std::optional<Sequencer::Work> Sequencer::drained(std::int64_t now, const Pacing& pacing) {
  if (is_worked_off()) return last(false);
  return next_of_held(now, pacing);
}

// They go into tables too, which may be full.
std::optional<Sequencer::Work> Sequencer::next_of_held(std::int64_t now, const Pacing& pacing) {
  if (run_.flow.in_flight > 0 || pacing.pause) return std::nullopt;
  return control(false, epoch_is_due(now, pacing));
}

// One epoch is committed at a time, so the one before it is waited for.
std::optional<Sequencer::Work> Sequencer::end_of_what_was_read(std::int64_t now,
                                                               const Pacing& pacing) {
  const bool early = mutant("pause.told_early");
  if (!early && !is_worked_off()) return next_of_held(now, pacing);
  if (!early && dirty_ && is_committing()) return std::nullopt;
  std::optional<Work> work;
  if (dirty_ && !early) work = control(false, true, !strict_);
  pause_told_ = true;
  run_.requests.took_pause(next_epoch_ - 1);
  return work;
}

std::optional<Sequencer::Work> Sequencer::without_input(std::int64_t now, const Pacing& pacing,
                                                        bool taking) {
  const bool all_ended = std::all_of(feeds_.begin(), feeds_.end(), [&](const auto& feed) {
    return feed->look(now) == Feed::State::kEnded;
  });
  if (taking && all_ended) return end_of_input(now, pacing);
  idle_.look(now, !paused_ && !strict_, events_);
  // Where nothing is chance, the next slice brings what there is to be said.
  const bool moving = needs_time_ && !strict_ &&
                      std::any_of(events_.begin(), events_.end(),
                                  [](const SplitEvent& event) { return moves_time(event.kind); });
  // The next slice is enough for that if it comes anyway; where nothing is chance, no other may be.
  const bool holding = !strict_ && run_.flow.holding > 0;
  const bool of_use = pacing.empty_epoch || run_.flow.unsaved_deliveries;
  const bool due = (dirty_ || moving || of_use) && epoch_is_due(now, pacing);
  // Where all input is bounded, a slice that only ends an epoch is all that is chance.
  if (moving || holding || due) return control(false, due, !strict_);
  look_for_last_receipts(now);
  return std::nullopt;
}

// A sink has its last receipts when nothing can reach it any more, and all that did is committed
// and delivered. Its receipts may be the input of another sink, so this goes on step by step.
void Sequencer::look_for_last_receipts(std::int64_t now) {
  if (receipts_of_.empty() || dirty_ || is_committing() || run_.flow.in_flight > 0) return;
  for (const Receipts& receipts : receipts_of_) {
    const bool ended = std::ranges::all_of(receipts.before, [&](std::uint32_t feed) {
      return feeds_[feed]->look(now) == Feed::State::kEnded;
    });
    if (ended && run_.is_delivered(receipts.sink)) feeds_[receipts.feed]->say_nothing_follows();
  }
}

Sequencer::Work Sequencer::last(bool ends_input) {
  done_ = true;
  Work work = control(ends_input, true);
  work.info->is_last = true;
  return work;
}

// Windows end, and what they give may need more slices than one, which shows when those under way
// are done. What is due before the end comes first: nodes behind it must have come to the time of
// the records, which stays with their state, and not only to the end.
std::optional<Sequencer::Work> Sequencer::end_of_input(std::int64_t now, const Pacing& pacing) {
  for (const auto& feed : feeds_) gather_events(*feed);
  if (!needs_time_) return last(true);
  if (run_.flow.in_flight > 0) return std::nullopt;
  if (run_.flow.holding == 0) {
    if (std::exchange(input_over_, true)) return last(true);
    return control(true, epoch_is_due(now, pacing));
  }
  if (input_over_) return control(true, epoch_is_due(now, pacing));
  return pieces_before_the_end(epoch_is_due(now, pacing));
}

// That splits have ended is said with the end.
Sequencer::Work Sequencer::pieces_before_the_end(bool ends_epoch) {
  std::vector<SplitEvent> events = std::exchange(events_, {});
  Work work = control(false, ends_epoch);
  events_.insert(events_.begin(), std::make_move_iterator(events.begin()),
                 std::make_move_iterator(events.end()));
  return work;
}

std::int64_t Sequencer::ms_to_next() {
  constexpr std::int64_t kMostMs = 100;  // whatever else may have changed, such as the pacing
  constexpr std::int64_t kUnderWayMs = 10;
  if (run_.flow.is_full()) return kUnderWayMs;
  const std::lock_guard lock(mutex_);
  if (!dirty_ || is_committing()) return kMostMs;
  const std::int64_t left = epoch_started_ + run_.topology->epoch_ms - run_.clock->steady_ms();
  return std::clamp<std::int64_t>(left, 1, kMostMs);
}

void Sequencer::decoded(const SliceInfo& slice) {
  if (!alignment_.is_used()) return;
  const std::lock_guard lock(mutex_);
  alignment_.reached(slice);
  align();
}

// What is read first is waited for by the others of its group: it must not wait for them.
void Sequencer::align() {
  if (!first_.empty()) return;
  for (const Alignment::Change& change : alignment_.changes()) {
    idle_.hold(change.source, change.split, change.held);
    feeds_[change.source]->hold(change.split, change.held);
    events_.push_back({change.held ? SplitEvent::Kind::kHeld : SplitEvent::Kind::kReleased,
                       change.source, change.split});
  }
}

std::pair<std::uint64_t, std::uint64_t> Sequencer::progress() {
  std::pair<std::uint64_t, std::uint64_t> sum{0, 0};
  for (const auto& feed : feeds_) {
    const auto [done, all] = feed->progress();
    sum.first += done;
    sum.second += all;
  }
  return sum;
}

std::vector<Figure> Sequencer::figures() const {
  std::vector<Figure> all;
  for (const auto& feed : feeds_) {
    for (Figure& figure : feed->figures()) all.push_back(std::move(figure));
  }
  return all;
}

void Sequencer::committed(std::uint32_t source, const std::vector<PositionChange>& positions) {
  feeds_[source]->committed(positions);
}

}  // namespace huiliu::runtime
