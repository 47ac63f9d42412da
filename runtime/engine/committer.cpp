#include "runtime/engine/committer.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "runtime/base/log_context.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/meta_key.h"
#include "runtime/component/selection.h"
#include "runtime/engine/timeline.h"

namespace huiliu::runtime {

Committer::Committer(RunContext& run)
    : run_(run),
      reports_per_slice_(1 + (run.plan->stages - 1) * run.plan->parallelism),
      ledger_(*run.plan),
      book_(*run.topology, *run.clock),
      stateful_before_(stateful_before(*run.topology)),
      sinks_(run.topology->nodes.size()) {
  for (const Node& node : run.topology->nodes) {
    if (node.kind == ComponentKind::kSource) sources_.push_back(&node);
  }
}

Status Committer::open_sink(std::size_t node_index) {
  const Node& node = run_.topology->nodes[node_index];
  SinkState& sink = sinks_[node_index];
  if (!node.sink->create_epoch_sink) {
    const std::string key = MetaKey::outbox(node.name);
    const std::string saved = value_of_key(run_.backend->meta(key), key);
    const std::string entries = MetaKey::outbox_entries(node.name);
    sink.outbox = std::make_unique<Outbox>(
        node.name, saved.empty() ? 0 : stored_number<std::uint64_t>(saved, key),
        node.sink_declaration->entries, value_of_key(run_.backend->meta(entries), entries));
    return Status::ok();
  }
  sink.file = node.sink->create_epoch_sink(*node.sink_declaration);
  SinkContext context;
  context.node_name = node.name;
  context.base_folder = run_.topology->folder;
  context.clock = run_.clock;
  context.transaction = run_.backend->transaction();
  context.rejudges = run_.selection != nullptr;
  context.owned_shards = run_.backend->owned_shards();
  const std::string prefix = MetaKey::sink(node.name);
  context.positions = without_prefix(run_.backend->meta(prefix), prefix);
  return retry(run_, node.name, [&] { return sink.file->open(context); });
}

Status Committer::count_waiting(std::size_t node, std::uint64_t after, std::uint64_t end) {
  constexpr std::size_t kMostBytes = 8u << 20;
  std::vector<Outbox::Size> sizes;
  while (after < end) {
    auto entries = run_.backend->read_log(run_.topology->nodes[node].name, after, kMostBytes);
    if (!entries.is_ok()) return entries.status();
    if (entries->empty()) break;  // its delivery says what is wrong
    for (const OutboxEntry& entry : entries.value()) {
      if (entry.sequence > end) break;
      sizes.push_back({entry.sequence, entry.bytes.size(), entry.records});
    }
    after = entries->back().sequence;
  }
  sinks_[node].outbox->found(sizes);
  return Status::ok();
}

Status Committer::open() {
  auto layout = layout_to_save(*run_.topology, run_.backend->meta(kLayoutPrefix));
  if (!layout.is_ok()) return layout.status();
  new_layout_ = std::move(layout.value());
  const auto& nodes = run_.topology->nodes;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (nodes[n].kind != ComponentKind::kSink) continue;
    if (Status status = open_sink(n); !status.is_ok()) return status;
  }
  ledger_.open(*run_.topology, *run_.backend);
  progress_.epoch = run_.backend->last_epoch();
  progress_.totals = ledger_.totals();
  progress_.sink_figures = sink_figures();
  return Status::ok();
}

void Committer::push(SliceReport report) {
  const std::lock_guard lock(mutex_);
  Pending& pending = waiting_[report.info->sequence];
  pending.info = report.info;
  ++pending.reports;
  pending.parts.push_back(std::move(report));
}

bool Committer::take(Pending& pending) {
  const std::lock_guard lock(mutex_);
  const auto first = waiting_.find(next_);
  if (first == waiting_.end() || first->second.reports < reports_per_slice_) return false;
  pending = std::move(first->second);
  waiting_.erase(first);
  ++next_;
  return true;
}

bool Committer::step() {
  Pending pending;
  if (!take(pending)) return false;
  if (Status status = apply(pending); !status.is_ok()) {
    run_.end.fail(std::move(status));
    return true;
  }
  run_.flow.end(pending.info->share);
  if (pending.info->is_last) {
    if (pending.info->ends_input) run_.end.input_ended = true;
    run_.end.finished = true;
  }
  run_.bell.ring();
  return true;
}

void Committer::run() {
  constexpr std::int64_t kWaitMs = 20;
  while (!run_.end.finished && !run_.end.abandon) {
    const std::uint64_t seen = run_.bell.rings();
    if (step()) continue;
    if (Status status = settle(false); !status.is_ok()) run_.end.fail(std::move(status));
    run_.bell.wait(seen, kWaitMs);
  }
}

void Committer::take_positions(const SliceInfo& info) {
  for (const auto& [key, value] : info.positions) {
    positions_[MetaKey::source(sources_[info.source]->name, key)] = value;
    read_[info.source][key] = value;
  }
  take_times(info);
}

// Times commit with the positions: a run that goes on there goes on at these times too.
void Committer::take_times(const SliceInfo& info) {
  if (run_.selection != nullptr || mutant("time.unsaved")) return;
  for (const SplitEvent& event : info.events) {
    const auto id = std::pair(event.source, event.split);
    if (event.kind == SplitEvent::Kind::kAnnounced) {
      split_times_[id] = {MetaKey::time(sources_[event.source]->name, event.key), event.time};
    } else if (event.kind == SplitEvent::Kind::kEnded) {
      const SplitTime& split = split_times_.at(id);
      if (split.time != kNoEventTime) positions_[split.key] = "";
      split_times_.erase(id);
    }
  }
  if (info.split == kNoSplit) return;
  SplitTime& split = split_times_.at({info.source, info.split});
  if (info.told) {
    if (!info.told->saved.empty()) positions_[split.key] = info.told->saved;
  } else if (info.max_event_time > split.time) {
    split.time = info.max_event_time;
    positions_[split.key] = std::to_string(split.time);
  }
}

// A mistake on purpose: the positions of slices that the epoch does not contain.
void Committer::take_waiting_positions() {
  const std::lock_guard lock(mutex_);
  for (const auto& [sequence, pending] : waiting_) take_positions(*pending.info);
}

Status Committer::apply(Pending& pending) {
  take_positions(*pending.info);
  book_.saw(*pending.info, pending.parts);
  for (SliceReport& report : pending.parts) {
    for (const NodeCounts& counts : report.counts) ledger_.add(counts);
    for (auto& change : report.changes) changes_.push_back(std::move(change));
  }
  if (pending.info->ends_epoch != 0) hold_back_times(pending);
  if (Status status = write_sinks(pending.parts); !status.is_ok()) return status;
  if (pending.info->ends_epoch == 0) return Status::ok();
  return commit(*pending.info);
}

// Those who read the topic must not be told of a time that rows of the next epoch are behind.
void Committer::hold_back_times(Pending& pending) {
  for (auto& [sink, times] : pending.info->shard_times) {
    std::int64_t held = kEndOfTime;
    for (const SliceReport& report : pending.parts) {
      for (const Held& one : report.held) {
        const auto& before = stateful_before_[sink];
        if (std::find(before.begin(), before.end(), one.node) == before.end()) continue;
        held = std::min(held, one.time);
      }
    }
    hold_back(times, held);
  }
}

Status Committer::write_sinks(std::vector<SliceReport>& reports) {
  std::map<std::size_t, std::vector<const SinkPart*>> by_sink;
  for (const SliceReport& report : reports) {
    for (const SinkPart& part : report.sinks) by_sink[part.node].push_back(&part);
  }
  for (auto& [node, parts] : by_sink) {
    merge_.merge(parts);
    if (Status status = write_sink(node); !status.is_ok()) return status;
  }
  for (SliceReport& report : reports) {
    for (SinkPart& part : report.sinks) run_.pool->give_back(std::move(part));
  }
  return Status::ok();
}

Status Committer::write_sink(std::size_t node) {
  SinkState& sink = sinks_[node];
  ledger_.wrote(node, merge_.records());
  book_.wrote(node, merge_.records(), merge_.bytes().size());
  if (sink.outbox) {
    sink.outbox->append(merge_.bytes(), merge_.sizes());
    return Status::ok();
  }
  return retry(run_, run_.topology->nodes[node].name,
               [&] { return sink.file->append(merge_.bytes(), merge_.records()); });
}

Status Committer::prepare_files(EpochCommit& commit) {
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    if (!sinks_[n].file) continue;
    const std::string& name = run_.topology->nodes[n].name;
    std::vector<std::pair<std::string, std::string>> positions;
    const Status status = retry(run_, name, [&] { return sinks_[n].file->prepare(positions); });
    if (!status.is_ok()) return status;
    for (auto& [key, value] : positions) {
      commit.meta.emplace_back(MetaKey::sink(name, key), std::move(value));
    }
  }
  return Status::ok();
}

// A reject that nobody reads is a record that is nowhere: only the ledger knows of it.
void Committer::warn_of_unread_rejects(std::uint64_t epoch) const {
  const auto& nodes = run_.topology->nodes;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (nodes[n].kind != ComponentKind::kSink || ledger_.rejected(n) == 0) continue;
    if (run_.topology->is_read({n, nodes[n].reject_port()})) continue;
    spdlog::warn(
        "sink {} refused {} records of epoch {}, and nobody reads its rejects; huiliu explain "
        "--where reject_by={} shows them",
        nodes[n].name, ledger_.rejected(n), epoch, nodes[n].name);
  }
}

Status Committer::commit(const SliceInfo& last) {
  const std::uint64_t epoch = last.ends_epoch;
  const LogScope scope(epoch);
  failpoint("epoch.begin");
  book_.epoch_arrived();
  // 1. Every record of the epoch must be accounted for, or nothing of the epoch becomes true.
  if (const std::string difference = ledger_.check(); !difference.empty()) {
    return Status::corrupt(
        fmt::format("the ledger of epoch {} does not balance: {}", epoch, difference));
  }
  warn_of_unread_rejects(epoch);
  ledger_.close_epoch();
  EpochCommit commit;
  commit.epoch = epoch;
  commit.last = run_.end.stop || (run_.requests.drain && last.is_last);
  // 2. Tables hand over what they froze when the epoch's last slice passed them.
  commit.changes = std::move(changes_);
  changes_.clear();
  // 3. Files make their bytes durable before their new lengths are committed.
  failpoint("epoch.before_prepare");
  for (const auto& [node, times] : last.shard_times) sinks_[node].file->reached(times);
  if (!mutant("epoch.commit_before_files")) {
    if (Status status = prepare_files(commit); !status.is_ok()) return status;
  }
  // 4. Positions, totals, the layout and outboxes commit with them.
  add_positions(commit);
  ledger_.add_to(*run_.topology, commit);
  add_layout(commit);
  for (const SinkState& sink : sinks_) {
    if (sink.outbox) sink.outbox->add_to(commit);
  }
  book_.prepared();
  // 5. The backend makes all of this true at once. While it cannot, it is asked again for the same.
  failpoint("epoch.prepared");
  const Status status = retry(run_, "state", [&] { return run_.backend->commit(commit); });
  if (!status.is_ok()) return status;
  failpoint("epoch.committed");
  // 6. Files and deliveries learn of it, and files do what did not need to hold up the commit; a
  // busy committer has no other time for that.
  committed(commit, last);
  return settle(false);
}

void Committer::add_positions(EpochCommit& commit) {
  if (mutant("epoch.position_early")) take_waiting_positions();
  if (mutant("epoch.position_lost") && commit.epoch % 2 == 0) positions_.clear();
  for (auto& [key, value] : positions_) commit.meta.emplace_back(key, value);
  positions_.clear();
}

void Committer::add_layout(EpochCommit& commit) {
  for (auto& [key, value] : new_layout_) commit.meta.emplace_back(key, value);
  new_layout_.clear();
  const Selection* const selection = run_.selection;
  if (selection == nullptr || mutant("rejudge.forgets")) return;
  const Rejudgement now{selection->number(), true, selection->text()};
  commit.meta.emplace_back(Rejudgement::kKey, now.to_value());
}

void Committer::committed(const EpochCommit& commit, const SliceInfo& last) {
  for (const auto& [source, positions] : std::exchange(read_, {})) {
    if (tell_source_) tell_source_(source, {positions.begin(), positions.end()});
  }
  for (SinkState& sink : sinks_) {
    if (sink.file) sink.file->committed();
  }
  book_.committed(last);
  run_.flow.uncommitted_bytes.fetch_sub(book_.take_epoch_bytes(), std::memory_order_relaxed);
  publish(last);
  const std::lock_guard lock(mutex_);
  for (const SinkState& sink : sinks_) {
    if (sink.outbox) sink.outbox->committed();
  }
  run_.flow.unsaved_deliveries = has_unsaved_deliveries();
  progress_.epoch = commit.epoch;
  progress_.slices = next_;
  progress_.totals = ledger_.totals();
}

void Committer::publish(const SliceInfo& last) {
  if (!book_.is_due(last)) return;
  auto figures = std::make_shared<RunFigures>(book_.view(run_.backend->figures()));
  figures->slice_bytes = run_.pool->slice_bytes();
  for (Figure& figure : run_.parts.figures()) figures->backend.push_back(std::move(figure));
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    if (!sinks_[n].outbox) continue;
    figures->nodes[n].undelivered = sinks_[n].outbox->undelivered();
    figures->nodes[n].undelivered_bytes = sinks_[n].outbox->waiting_bytes();
    figures->nodes[n].written_ms = sinks_[n].outbox->delivered_ms();
  }
  auto of_sinks = sink_figures();
  const std::lock_guard lock(mutex_);
  progress_.figures = std::move(figures);
  progress_.sink_figures = std::move(of_sinks);
}

std::shared_ptr<const std::vector<Figure>> Committer::sink_figures() const {
  auto all = std::make_shared<std::vector<Figure>>();
  for (const SinkState& sink : sinks_) {
    if (!sink.file) continue;
    std::ranges::move(sink.file->figures(), std::back_inserter(*all));
  }
  return all;
}

std::uint64_t Committer::outbox_end(std::size_t node) const {
  return sinks_[node].outbox->committed_end();
}

std::uint64_t Committer::keep_delivered(std::size_t node) {
  const std::string key = MetaKey::outbox_delivered(run_.topology->nodes[node].name);
  const std::string text = value_of_key(run_.backend->meta(key), key);
  const auto saved = text.empty() ? 0 : stored_number<std::uint64_t>(text, key);
  sinks_[node].outbox->save_delivered(saved);
  return saved;
}

bool Committer::has_unsaved_deliveries() const {
  return std::ranges::any_of(
      sinks_, [](const SinkState& sink) { return sink.outbox && sink.outbox->has_unsaved(); });
}

Status Committer::save_deliveries() {
  if (!has_unsaved_deliveries()) return Status::ok();
  EpochCommit commit;
  commit.epoch = run_.backend->last_epoch() + 1;
  commit.last = true;
  for (const SinkState& sink : sinks_) {
    if (sink.outbox) sink.outbox->add_to(commit);
  }
  return retry(run_, "state", [&] { return run_.backend->commit(commit); });
}

bool Committer::outbox_fits(std::size_t node) const { return sinks_[node].outbox->fits(); }

void Committer::delivered(std::size_t node, std::uint64_t sequence, std::uint64_t records) {
  sinks_[node].outbox->delivered(sequence, records > 0 ? run_.clock->now_ms() : 0);
  {
    const std::lock_guard lock(mutex_);
    run_.flow.unsaved_deliveries = has_unsaved_deliveries();
  }
}

bool Committer::is_outbox_full(std::size_t node) const {
  const std::uint64_t most = run_.topology->nodes[node].sink_declaration->outbox_bytes;
  return sinks_[node].outbox->waiting_bytes() >= most;
}

std::uint64_t Committer::outbox_records() const {
  std::uint64_t records = 0;
  for (const SinkState& sink : sinks_) {
    if (sink.outbox) records += sink.outbox->waiting_records();
  }
  return records;
}

Status Committer::settle(bool stopping) {
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    if (!sinks_[n].file) continue;
    const LogScope scope{std::string_view(run_.topology->nodes[n].name)};
    Status status = sinks_[n].file->settle(stopping);
    if (status.is_ok()) continue;
    if (status.code() != StatusCode::kUnavailable) return status;
    spdlog::warn("sink {}: {}; tried again", run_.topology->nodes[n].name, status.message());
  }
  return Status::ok();
}

Status Committer::finish() {
  for (SinkState& sink : sinks_) {
    if (!sink.file) continue;
    if (Status status = sink.file->finish(); !status.is_ok()) return status;
  }
  return Status::ok();
}

Committer::Progress Committer::progress() {
  const std::lock_guard lock(mutex_);
  return progress_;
}

std::uint64_t Committer::committed_epoch() {
  const std::lock_guard lock(mutex_);
  return progress_.epoch;
}

}  // namespace huiliu::runtime
