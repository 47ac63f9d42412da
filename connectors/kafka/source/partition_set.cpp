#include "connectors/kafka/source/partition_set.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/offsets.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/source/message_decoder.h"
#include "runtime/record/key.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Slice;
using runtime::Status;

namespace {
std::string position_of(const Partition& partition) {
  return position_text({partition.next, partition.time, partition.bare_to});
}
}  // namespace

std::int64_t time_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  return rd_kafka_message_timestamp(&message, &type);
}

void name_partition(Slice& slice, const Partition& partition) {
  slice.partition = partition.name;
  slice.partition_hash = partition.hash;
  slice.format = static_cast<std::uint32_t>(partition.number);
  slice.split = partition.split_ended ? runtime::kNoSplit : partition.split;
}

Status PartitionSet::load_positions() {
  committed_.clear();
  for (const auto& [key, value] : context_.positions) {
    const auto position = parse_position(value);
    if (!position) {
      return Status::corrupt(
          fmt::format("source '{}': the position '{}' of {} is none: something else has written "
                      "it into the state. Restore the state, or start afresh with another "
                      "`topology` id",
                      context_.node_name, value, key));
    }
    committed_[key] = *position;
  }
  return Status::ok();
}

Status PartitionSet::discover(ConsumerSeat& seat, bool first) {
  rd_kafka_t* const client = seat.client();
  auto names = topics_.find(client, context_.node_name, context_.topology_id);
  if (!names.is_ok()) return names.status();
  const std::size_t before = partitions_.size();
  for (const std::string& topic : *names) {
    auto count = partition_count(client, topic);
    if (!count.is_ok()) return count.status();
    for (int number = 0; number < *count; ++number) {
      if (!owned(number) || partitions_.contains({topic, number})) continue;
      if (Status status = add(client, topic, number, first); !status.is_ok()) return status;
    }
  }
  if (partitions_.size() == before) return Status::ok();
  if (!first) {
    spdlog::info("{}: {} new partitions", context_.node_name, partitions_.size() - before);
  }
  pinned_ = false;
  return assign(seat);
}

bool PartitionSet::owned(int number) const {
  const auto& shards = context_.owned_shards;
  return shards.empty() ||
         std::find(shards.begin(), shards.end(), number % context_.shards) != shards.end();
}

// Several workers: of a shard that this worker got only now nothing may be committed, although the
// topology has run before, since the source had no partition of that shard. So only the partitions
// of the same shard count.
bool PartitionSet::seen_others(int number) const {
  if (context_.owned_shards.empty()) return !committed_.empty();
  return std::any_of(committed_.begin(), committed_.end(), [&](const auto& one) {
    const auto known = parse_position_key(one.first);
    return known && known->partition % context_.shards == number % context_.shards;
  });
}

Status PartitionSet::add(rd_kafka_t* client, const std::string& topic, int number, bool first) {
  Partition made;
  made.topic = topic;
  made.number = number;
  made.name = context_.intern(partition_name(topic, number));
  made.hash = runtime::KeyBuilder::hash_bytes(*made.name);
  made.key = position_key(topic, number);
  auto range = offset_range(client, topic, number);
  if (!range.is_ok()) return range.status();
  PartitionFacts facts{.range = *range, .first = first, .seen_others = seen_others(number)};
  const auto committed = committed_.find(made.key);
  if (committed != committed_.end()) facts.committed = committed->second;
  auto decision = start_of(client, made, facts);
  if (!decision.is_ok()) return decision.status();
  auto start = checked(made, *decision, *range);
  if (!start.is_ok()) return start.status();
  made.next = *start;
  if (decision->keep) keeps_start_ = true;
  const LastMessage last = decide_last_message(facts, made.next);
  made.time = last.time;
  made.expected = last.expected;
  made.bare_to = last.bare_to;
  if (options_.until_end) {
    made.end = range->end;
    made.done = made.next >= made.end && made.expected == kNoTime;
  }
  // The engine's own topics hold rows of all partitions of a source, and tell their time otherwise.
  if (!options_.own) {
    const int shard = context_.shards > 0 ? number % context_.shards : -1;
    made.split =
        context_.splits->announce({.key = made.key, .live = !options_.until_end, .shard = shard});
  }
  end_split(partitions_.emplace(std::pair(topic, number), std::move(made)).first->second);
  return Status::ok();
}

void PartitionSet::end_splits() {
  if (!options_.until_end) return;
  for (auto& [id, partition] : partitions_) end_split(partition);
}

void PartitionSet::end_split(Partition& partition) {
  if (!partition.done || partition.held || partition.split == runtime::kNoSplit) return;
  if (!std::exchange(partition.split_ended, true)) context_.splits->end(partition.split);
}

Result<StartDecision> PartitionSet::start_of(rd_kafka_t* client, const Partition& partition,
                                             const PartitionFacts& facts) const {
  const StartRules rules{options_.start, options_.on_missing, !options_.group.empty()};
  const StartDecision decision = decide_start(facts, rules);
  if (decision.what == StartDecision::What::kAskGroup) {
    auto offset = group_offset(client, options_.group, partition.topic, partition.number);
    if (!offset.is_ok()) return offset.status();
    return decide_group_start(*offset, facts.range, rules.on_missing);
  }
  if (decision.what == StartDecision::What::kAskTime) {
    auto offset = offset_at_time(client, partition.topic, partition.number, options_.start_time_ms);
    if (!offset.is_ok()) return offset.status();
    return decide_time_start(*offset, facts.range);
  }
  return decision;
}

Result<std::int64_t> PartitionSet::checked(const Partition& partition,
                                           const StartDecision& decision,
                                           const OffsetRange& range) const {
  if (decision.what == StartDecision::What::kRefuse) {
    return Status::corrupt(fmt::format(
        "source '{}': {} has offsets {} to {}, but {} is to be read next: {}. Set `on_missing: "
        "earliest` or `latest` to go on there",
        context_.node_name, *partition.name, range.begin, range.end, decision.wanted,
        text_of(decision.missing)));
  }
  if (decision.missing != Missing::kNothing) {
    spdlog::warn("{}: {} is read from its {}, {}, not from {}", context_.node_name, *partition.name,
                 options_.on_missing == OnMissing::kLatest ? "end" : "beginning", decision.offset,
                 decision.wanted);
  }
  return decision.offset;
}

Status PartitionSet::start_over(ConsumerSeat& seat, Partition& partition) {
  auto range = offset_range(seat.client(), partition.topic, partition.number);
  if (!range.is_ok()) return range.status();
  auto start = checked(
      partition, decide_missing(Missing::kRecreated, partition.next, *range, options_.on_missing),
      *range);
  if (!start.is_ok()) return start.status();
  partition.next = *start;
  partition.time = partition.expected = kNoTime;
  partition.bare_to = -1;
  partition.passed_end = false;
  partition.done = partition.end >= 0 && partition.next >= partition.end;
  return as_status(seat.seek(partition.topic, partition.number, partition.next),
                   "reading " + context_.node_name);
}

// Begins to fetch the partitions that are not fetched yet; the others go on undisturbed.
Status PartitionSet::assign(ConsumerSeat& seat) {
  const PartitionList list(rd_kafka_topic_partition_list_new(8));
  std::vector<Partition*> added;
  for (auto& [id, partition] : partitions_) {
    if (partition.done || partition.assigned) continue;
    added.push_back(&partition);
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)
        ->offset = partition.expected == kNoTime ? partition.next : partition.next - 1;
  }
  Status status = as_status(seat.assign(list.get()), "reading " + context_.node_name);
  if (status.is_ok()) {
    for (Partition* partition : added) partition->assigned = true;
  }
  return status;
}

Partition* PartitionSet::find(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return nullptr;
  if (last_ == nullptr || last_->number != message.partition || last_rkt_ != message.rkt) {
    const auto found =
        partitions_.find(std::pair(rd_kafka_topic_name(message.rkt), message.partition));
    if (found == partitions_.end()) return nullptr;
    last_ = &found->second;
    last_rkt_ = message.rkt;
  }
  return last_;
}

Partition* PartitionSet::find(runtime::SplitId split) {
  for (auto& [id, partition] : partitions_) {
    if (partition.split == split) return &partition;
  }
  return nullptr;
}

// Where that fails, more is fetched than is needed, and nothing else is wrong.
void PartitionSet::pause(ConsumerSeat& seat, const Partition& partition) const {
  if (!partition.assigned) return;
  const Error error = seat.pause(partition.topic, partition.number, partition.held);
  if (!error) return;
  spdlog::warn("{}: {} cannot be {}: {}", context_.node_name, *partition.name,
               partition.held ? "paused" : "read on", error.text);
}

bool PartitionSet::is_expected(const rd_kafka_message_t& message) {
  Partition* const partition = find(message);
  if (partition == nullptr || partition->expected == kNoTime) return true;
  const bool same =
      message.offset != partition->next - 1 || time_of(message) == partition->expected;
  partition->expected = kNoTime;
  return same;
}

// The backend itself deletes rows of the engine's own topics, and never those behind their reader's
// position; and since each epoch writes marks there, an epoch for the sake of marks would bring
// about the next one for ever.
void PartitionSet::step(Partition& partition, std::int64_t offset) {
  if (options_.own || partition.passed_end) return;
  if (offset <= std::max(partition.next, partition.bare_to)) return;
  partition.bare_to = offset;
  stepped_ = true;
}

bool PartitionSet::all_done() const {
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const auto& one) { return one.second.done; });
}

bool PartitionSet::all_reached_end() const {
  return std::all_of(partitions_.begin(), partitions_.end(),
                     [](const auto& one) { return one.second.done || one.second.reached_end; });
}

void PartitionSet::say_position(Slice& slice, const Partition& partition) {
  if (pinned_) slice.positions.emplace_back(partition.key, position_of(partition));
  add_all_positions(slice);
}

// The start is chosen once, so partitions without a message yet keep theirs too.
void PartitionSet::add_all_positions(Slice& slice) {
  for (const auto& [id, one] : partitions_) {
    if (!pinned_) slice.positions.emplace_back(one.key, position_of(one));
  }
  pinned_ = true;
  keeps_start_ = false;
}

void PartitionSet::say_all(Slice& slice) {
  name_partition(slice, partitions_.begin()->second);
  slice.split = runtime::kNoSplit;
  pinned_ = stepped_ = false;
  add_all_positions(slice);
}

}  // namespace huiliu::connectors::kafka
