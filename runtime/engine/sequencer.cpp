#include "runtime/engine/sequencer.h"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "runtime/component/backend.h"
#include "runtime/component/meta_key.h"
#include "runtime/record/partition_names.h"

namespace huiliu::runtime {
namespace {

constexpr std::int64_t kMostIdleMs = 10;

std::vector<std::pair<std::string, std::string>> positions_of(const Backend& backend,
                                                              const std::string& prefix) {
  auto positions = backend.meta(prefix);
  for (auto& [key, value] : positions) key.erase(0, prefix.size());
  return positions;
}

}  // namespace

Status Sequencer::open(std::uint64_t next_epoch) {
  next_epoch_ = next_epoch;
  epoch_started_ = run_.clock->steady_ms();
  const Topology& topology = *run_.topology;
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    if (node.kind != ComponentKind::kSource) continue;
    Feed feed;
    feed.node = n;
    feed.reader = run_.selection != nullptr ? node.source->create_rereader(*node.source_declaration)
                                            : node.source->create_reader(*node.source_declaration);
    SourceContext context;
    context.node_name = node.name;
    context.topology_id = topology.id;
    context.base_folder = topology.folder;
    context.positions = positions_of(*run_.backend, MetaKey::source(node.name));
    context.intern = intern_partition;
    context.clock = run_.clock;
    context.slice_bytes = run_.slice_bytes;
    context.owned_shards = run_.backend->owned_shards();
    context.shards = topology.shards;
    context.selection = run_.selection;
    context.not_found = [this](const std::string& partition, const std::string& why) {
      run_.unread.not_found[partition] = why;
    };
    context.left_out = [this, source = node.name](const std::string& name, const std::string& why) {
      auto& left_out = run_.unread.left_out[source];
      why.empty() ? void(left_out.erase(name)) : void(left_out[name] = why);
    };
    const Status status = retry(run_, node.name, [&] { return feed.reader->open(context); });
    if (!status.is_ok()) return status;
    feeds_.push_back(std::move(feed));
  }
  return Status::ok();
}

bool Sequencer::epoch_is_due(std::int64_t now, const Pacing& pacing) const {
  if (now - epoch_started_ >= run_.topology->epoch_ms) return true;
  // The epoch ends early when the tables' memory is full, unless an earlier epoch is not committed
  // yet: its commit may free the memory.
  return pacing.end_epoch && run_.backend->last_epoch() + 1 == next_epoch_;
}

void Sequencer::end_epoch(SliceInfo& info, std::int64_t now) {
  info.ends_epoch = next_epoch_++;
  epoch_started_ = now;
  dirty_ = false;
}

Sequencer::Work Sequencer::control(bool ends_input) {
  Work work;
  work.info = std::make_shared<SliceInfo>();
  work.info->sequence = next_sequence_++;
  work.info->ends_input = ends_input;
  end_epoch(*work.info, run_.clock->steady_ms());
  run_.flow.in_flight.fetch_add(1);
  return work;
}

std::optional<Sequencer::Work> Sequencer::read(Feed& feed, std::size_t index, std::int64_t now) {
  auto memory = run_.pool->take();
  switch (feed.reader->read(memory->slice)) {
    case ReadResult::kEnd:
      feed.ended = true;
      return std::nullopt;
    case ReadResult::kIdle:
      feed.idle = std::clamp<std::int64_t>(feed.idle * 2, 1, kMostIdleMs);
      feed.not_before = now + feed.idle;
      return std::nullopt;
    case ReadResult::kFailed:
      run_.end.fail(feed.reader->failure());
      return std::nullopt;
    case ReadResult::kRetry:
      feed.not_before = now + feed.backoff.next_ms();
      return std::nullopt;
    case ReadResult::kSlice:
      break;
  }
  feed.backoff.reset();
  feed.idle = 0;
  Work work;
  work.info = std::make_shared<SliceInfo>();
  work.info->sequence = next_sequence_++;
  work.info->source = static_cast<std::uint32_t>(index);
  work.info->positions = std::move(memory->slice.positions);
  work.info->bytes = memory->slice.bytes.size();
  work.memory = std::move(memory);
  work.source_node = feed.node;
  dirty_ = true;
  if (epoch_is_due(now, run_.backend->pacing())) end_epoch(*work.info, now);
  run_.flow.in_flight.fetch_add(1);
  return work;
}

std::optional<Sequencer::Work> Sequencer::pull() {
  const std::lock_guard lock(mutex_);
  if (done_ || run_.end.abandon || run_.flow.in_flight >= run_.flow.window) return std::nullopt;
  const Pacing pacing = run_.backend->pacing();
  if (pacing.reopen) run_.end.stop = true;
  if (run_.end.stop) {
    done_ = true;
    return control(false);
  }
  if (run_.flow.outbox_records > 500'000) return std::nullopt;  // deliveries are behind
  // The tables are full again before the flusher has written what they held: nothing is read until
  // it has.
  if (pacing.pause) return std::nullopt;
  const std::int64_t now = run_.clock->steady_ms();
  bool all_ended = true;
  // In order: a source is read until it has nothing, so that bounded input has one total order.
  for (std::size_t i = 0; i < feeds_.size(); ++i) {
    Feed& feed = feeds_[i];
    if (!feed.ended && feed.not_before <= now) {
      if (auto work = read(feed, i, now)) return work;
    }
    all_ended = all_ended && feed.ended;
  }
  if (all_ended) {
    done_ = true;
    return control(true);
  }
  const bool has_content = dirty_ || pacing.empty_epoch;
  if (has_content && epoch_is_due(now, pacing)) return control(false);
  return std::nullopt;
}

std::int64_t Sequencer::ms_to_next() {
  if (run_.flow.in_flight >= run_.flow.window) return kMostIdleMs;
  const std::lock_guard lock(mutex_);
  const std::int64_t now = run_.clock->steady_ms();
  std::int64_t next = now + kMostIdleMs;
  if (dirty_) next = std::min(next, epoch_started_ + run_.topology->epoch_ms);
  for (const Feed& feed : feeds_) {
    if (!feed.ended) next = std::min(next, feed.not_before);
  }
  return std::max<std::int64_t>(next - now, 1);
}

std::pair<std::uint64_t, std::uint64_t> Sequencer::progress() {
  const std::lock_guard lock(mutex_);
  std::pair<std::uint64_t, std::uint64_t> sum{0, 0};
  for (const Feed& feed : feeds_) {
    const auto [done, all] = feed.reader->progress();
    sum.first += done;
    sum.second += all;
  }
  return sum;
}

}  // namespace huiliu::runtime
