#include "runtime/engine/committer.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/meta_key.h"
#include "runtime/component/selection.h"

namespace huiliu::runtime {

Committer::Committer(Shared& shared)
    : shared_(shared),
      reports_per_slice_(1 + (shared.plan->stages - 1) * shared.plan->parallelism),
      ledger_(*shared.plan),
      sinks_(shared.topology->nodes.size()) {}

Status Committer::open_sink(std::size_t node_index) {
  const Node& node = shared_.topology->nodes[node_index];
  SinkState& sink = sinks_[node_index];
  if (!node.sink->create_epoch_sink) {
    sink.outbox = node.name;
    const std::string key = MetaKey::outbox(node.name);
    const std::string saved = value_of_key(shared_.backend->meta(key), key);
    if (!saved.empty()) {
      sink.appended = sink.committed = stored_number<std::uint64_t>(saved, key);
    }
    return Status::ok();
  }
  sink.file = node.sink->create_epoch_sink(*node.sink_declaration);
  SinkContext context;
  context.node_name = node.name;
  context.base_folder = shared_.topology->folder;
  context.clock = shared_.clock;
  context.transaction = shared_.backend->transaction();
  const std::string prefix = MetaKey::sink(node.name);
  context.positions = shared_.backend->meta(prefix);
  for (auto& [key, value] : context.positions) key.erase(0, prefix.size());
  return retry(shared_, node.name, [&] { return sink.file->open(context); });
}

Status Committer::open_layout() {
  const StateLayout known = shared_.backend->meta(kLayoutPrefix);
  StateLayout layout = state_layout(*shared_.topology);
  if (Status status = check_layout(*shared_.topology, known); !status.is_ok()) return status;
  std::copy_if(layout.begin(), layout.end(), std::back_inserter(new_layout_), [&](const auto& one) {
    return std::find(known.begin(), known.end(), one) == known.end();
  });
  return Status::ok();
}

Status Committer::open() {
  if (Status status = open_layout(); !status.is_ok()) return status;
  const auto& nodes = shared_.topology->nodes;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const std::string key = MetaKey::ledger(nodes[n].name);
    const std::string saved = value_of_key(shared_.backend->meta(key), key);
    if (!saved.empty()) ledger_.restore(n, saved);
    if (nodes[n].kind != ComponentKind::kSink) continue;
    if (Status status = open_sink(n); !status.is_ok()) return status;
  }
  progress_.epoch = shared_.backend->last_epoch();
  progress_.totals = ledger_.totals();
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
    shared_.fail(std::move(status));
    return true;
  }
  shared_.in_flight.fetch_sub(1);
  if (pending.info->ends_epoch != 0 && (pending.info->ends_input || shared_.stop)) {
    // The sequencer gave out nothing behind this slice if it was the last one.
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() && shared_.in_flight == 0) {
      if (pending.info->ends_input) shared_.input_ended = true;
      shared_.finished = true;
    }
  }
  shared_.signal();
  return true;
}

void Committer::run() {
  constexpr std::int64_t kWaitMs = 20;
  while (!shared_.finished && !shared_.abandon) {
    const std::uint64_t seen = shared_.signals();
    if (step()) continue;
    if (Status status = settle(false); !status.is_ok()) shared_.fail(std::move(status));
    shared_.wait_for_signal(seen, kWaitMs);
  }
}

void Committer::take_positions(const SliceInfo& info) {
  for (const auto& [key, value] : info.positions) {
    const Node* source = nullptr;
    std::size_t index = 0;
    for (const Node& node : shared_.topology->nodes) {
      if (node.kind == ComponentKind::kSource && index++ == info.source) source = &node;
    }
    positions_[MetaKey::source(source->name, key)] = value;
  }
}

// A mistake on purpose: the positions of slices that the epoch does not contain.
void Committer::take_waiting_positions() {
  const std::lock_guard lock(mutex_);
  for (const auto& [sequence, pending] : waiting_) take_positions(*pending.info);
}

Status Committer::apply(Pending& pending) {
  take_positions(*pending.info);
  for (SliceReport& report : pending.parts) {
    for (const NodeCounts& counts : report.counts) ledger_.add(counts);
    for (auto& change : report.changes) changes_.push_back(std::move(change));
  }
  if (Status status = write_sinks(pending.parts); !status.is_ok()) return status;
  if (pending.info->ends_epoch == 0) return Status::ok();
  return commit(pending.info->ends_epoch);
}

void merge_sink_parts(const std::vector<const SinkPart*>& parts, std::string& merged) {
  struct Cursor {
    const SinkPart* part;
    std::size_t record = 0;
    std::size_t offset = 0;
  };
  std::vector<Cursor> cursors;
  for (const SinkPart* part : parts) cursors.push_back({part});
  merged.clear();
  while (!cursors.empty()) {
    auto first = cursors.begin();
    for (auto it = cursors.begin() + 1; it != cursors.end(); ++it) {
      if (it->part->ordinals[it->record] < first->part->ordinals[first->record]) first = it;
    }
    const std::uint32_t bytes = first->part->sizes[first->record];
    merged.append(first->part->bytes, first->offset, bytes);
    first->offset += bytes;
    if (++first->record == first->part->sizes.size()) cursors.erase(first);
  }
}

Status Committer::write_sinks(std::vector<SliceReport>& reports) {
  std::map<std::size_t, std::vector<const SinkPart*>> by_sink;
  for (const SliceReport& report : reports) {
    for (const SinkPart& part : report.sinks) by_sink[part.node].push_back(&part);
  }
  for (auto& [node, parts] : by_sink) {
    // Reports come in any order; the merge must not depend on it.
    std::sort(parts.begin(), parts.end(), [](const SinkPart* a, const SinkPart* b) {
      return std::tie(a->edge, a->thread) < std::tie(b->edge, b->thread);
    });
    std::uint64_t records = 0;
    for (const SinkPart* part : parts) records += part->records;
    if (parts.size() > 1) merge_sink_parts(parts, merged_);
    const std::string_view bytes = parts.size() > 1 ? merged_ : parts.front()->bytes;
    if (Status status = write_sink(node, bytes, records); !status.is_ok()) return status;
  }
  for (SliceReport& report : reports) {
    for (SinkPart& part : report.sinks) shared_.pool->give_back(std::move(part));
  }
  return Status::ok();
}

Status Committer::write_sink(std::size_t node, std::string_view bytes, std::uint64_t records) {
  SinkState& sink = sinks_[node];
  ledger_.wrote(node, records);
  if (!sink.file) {
    append_outbox(sink, bytes, records);
    return Status::ok();
  }
  return retry(shared_, shared_.topology->nodes[node].name,
               [&] { return sink.file->append(bytes, records); });
}

void Committer::append_outbox(SinkState& sink, std::string_view bytes, std::uint64_t records) {
  constexpr std::size_t kEntryBytes = 1 << 20;
  if (sink.pending.empty() || sink.pending.back().bytes.size() + bytes.size() > kEntryBytes) {
    sink.pending.push_back({sink.outbox, ++sink.appended, {}, 0});
  }
  sink.pending.back().bytes.append(bytes);
  sink.pending.back().records += records;
}

void Committer::add_outboxes(EpochCommit& commit) {
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    SinkState& sink = sinks_[n];
    if (sink.outbox.empty()) continue;
    if (!sink.pending.empty()) {
      commit.meta.emplace_back(MetaKey::outbox(sink.outbox), std::to_string(sink.appended));
      for (LogAppend& append : sink.pending) commit.appends.push_back(std::move(append));
      sink.pending.clear();
    }
    const std::lock_guard lock(mutex_);
    if (sink.delivered > sink.trimmed) {
      const auto last = mutant("outbox.trim_early") ? sink.appended : sink.delivered;
      commit.trims.emplace_back(sink.outbox, last);
      sink.trimmed = sink.delivered;
    }
  }
}

Status Committer::prepare_files(EpochCommit& commit) {
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    if (!sinks_[n].file) continue;
    const std::string& name = shared_.topology->nodes[n].name;
    std::vector<std::pair<std::string, std::string>> positions;
    const Status status = retry(shared_, name, [&] { return sinks_[n].file->prepare(positions); });
    if (!status.is_ok()) return status;
    for (auto& [key, value] : positions) {
      commit.meta.emplace_back(MetaKey::sink(name, key), std::move(value));
    }
  }
  return Status::ok();
}

// A reject that nobody reads is a record that is nowhere: only the ledger knows of it.
void Committer::warn_of_unread_rejects(std::uint64_t epoch) const {
  const auto& nodes = shared_.topology->nodes;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    if (nodes[n].kind != ComponentKind::kSink || ledger_.rejected(n) == 0) continue;
    if (shared_.topology->is_read({n, nodes[n].reject_port()})) continue;
    spdlog::warn(
        "sink {} refused {} records of epoch {}, and nobody reads its rejects; huiliu explain "
        "--where reject_by={} shows them",
        nodes[n].name, ledger_.rejected(n), epoch, nodes[n].name);
  }
}

Status Committer::commit(std::uint64_t epoch) {
  failpoint("epoch.begin");
  if (const std::string difference = ledger_.check(); !difference.empty()) {
    return Status::corrupt(
        fmt::format("the ledger of epoch {} does not balance: {}", epoch, difference));
  }
  warn_of_unread_rejects(epoch);
  ledger_.close_epoch();
  EpochCommit commit;
  commit.epoch = epoch;
  commit.last = shared_.stop;
  commit.changes = std::move(changes_);
  changes_.clear();
  failpoint("epoch.before_prepare");
  if (!mutant("epoch.commit_before_files")) {
    if (Status status = prepare_files(commit); !status.is_ok()) return status;
  }
  if (mutant("epoch.position_early")) take_waiting_positions();
  if (mutant("epoch.position_lost") && epoch % 2 == 0) positions_.clear();
  for (auto& [key, value] : positions_) commit.meta.emplace_back(key, value);
  positions_.clear();
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    commit.meta.emplace_back(MetaKey::ledger(shared_.topology->nodes[n].name),
                             ledger_.serialise(n));
  }
  for (auto& [key, value] : new_layout_) commit.meta.emplace_back(key, value);
  new_layout_.clear();
  const Selection* const selection = shared_.selection;
  if (selection != nullptr && !mutant("rejudge.forgets")) {
    const Rejudgement now{selection->number(), true, selection->text()};
    commit.meta.emplace_back(Rejudgement::kKey, now.to_value());
  }
  add_outboxes(commit);
  failpoint("epoch.prepared");
  const Status status = retry(shared_, "state", [&] { return shared_.backend->commit(commit); });
  if (!status.is_ok()) return status;
  failpoint("epoch.committed");
  committed(commit);
  if (committed_callback_) committed_callback_(epoch);
  // A busy committer has no other time for it.
  return settle(false);
}

void Committer::committed(const EpochCommit& commit) {
  for (SinkState& sink : sinks_) {
    if (sink.file) sink.file->committed();
  }
  const std::lock_guard lock(mutex_);
  for (const LogAppend& append : commit.appends) shared_.outbox_records.fetch_add(append.records);
  for (SinkState& sink : sinks_) sink.committed = sink.appended;
  progress_.epoch = commit.epoch;
  progress_.slices = next_;
  progress_.totals = ledger_.totals();
}

std::uint64_t Committer::outbox_end(std::size_t node) const {
  const std::lock_guard lock(mutex_);
  return sinks_[node].committed;
}

void Committer::delivered(std::size_t node, std::uint64_t sequence, std::uint64_t records) {
  {
    const std::lock_guard lock(mutex_);
    sinks_[node].delivered = sequence;
  }
  std::uint64_t before = shared_.outbox_records;
  while (
      !shared_.outbox_records.compare_exchange_weak(before, before - std::min(before, records))) {
  }
}

Status Committer::settle(bool stopping) {
  for (std::size_t n = 0; n < sinks_.size(); ++n) {
    if (!sinks_[n].file) continue;
    Status status = sinks_[n].file->settle(stopping);
    if (status.is_ok()) continue;
    if (status.code() != StatusCode::kUnavailable) return status;
    spdlog::warn("sink {}: {}; tried again", shared_.topology->nodes[n].name, status.message());
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

}  // namespace huiliu::runtime
