#include "connectors/kafka/backend/outboxes.h"

#include "connectors/kafka/backend/backend_keys.h"
#include "runtime/base/stored_number.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::Status;

Status Outboxes::restore(TopicTransaction& transaction) {
  for (const auto& [sink, place] : setup_.needs.outboxes) {
    if (Status status = restore_one(transaction, sink); !status.is_ok()) return status;
  }
  return Status::ok();
}

Status Outboxes::restore_one(TopicTransaction& transaction, const std::string& log) {
  AppliedTopic& outbox = topics_of_logs_[log];
  outbox.topic_name = topics_.name(log, "outbox");
  Status ensured = setup_.calls.ensure_topic(transaction.client(), topics_.outbox(log));
  if (!ensured.is_ok()) return ensured;
  auto topic = transaction.topic(outbox.topic_name, {});
  if (!topic.is_ok()) return topic.status();
  outbox.topic = *topic;
  outbox.start_at({copy_.offset(outbox.topic_name, 0).value_or(0)});
  const std::vector<ReplayFrom> from = {{0, outbox.restart[0]}};
  const ReplayEnd end =
      setup_.calls.replay(setup_.replay(outbox.topic_name, from),
                          [&](const ReplayedRecord& record) { return take(log, outbox, record); });
  if (end.status.is_ok()) outbox.restart[0] = end.next[0];
  return end.status;
}

// Compaction removes entries that were delivered at any time, or never: those up to the trimmed one
// are left out.
Status Outboxes::take(const std::string& log, AppliedTopic& outbox, const ReplayedRecord& record) {
  outbox.restart[0] = record.offset + 1;
  const std::uint64_t sequence = state::read_big_endian(record.key);
  if (record.tombstone || sequence <= trimmed(log)) return Status::ok();
  const state::LogEntry entry{sequence, std::string(record.value.substr(8)),
                              state::read_big_endian(record.value.substr(0, 8))};
  state::Commit local;
  local.appends.emplace_back(log, &entry);
  local.meta.emplace_back(LocalCopy::position_key(outbox.topic_name, 0),
                          std::to_string(outbox.restart[0]));
  return copy_.commit_next(local, false);
}

Status Outboxes::produce(TopicTransaction& transaction, const EpochCommit& commit) {
  std::string key, value;
  for (const runtime::LogAppend& append : commit.appends) {
    AppliedTopic& outbox = topics_of_logs_.at(append.log);
    key.clear();
    value.clear();
    state::append_big_endian(key, append.sequence, 8);
    state::append_big_endian(value, append.records, 8);
    value += append.bytes;
    Status status = transaction.produce(
        outbox.topic, {.partition = 0, .key = key, .value = value, .offset = &outbox.written[0]});
    if (!status.is_ok()) return status;
  }
  for (const auto& [log, last] : commit.trims) {
    if (Status status = trim(transaction, log, last); !status.is_ok()) return status;
  }
  return Status::ok();
}

// Tombstones have compaction remove the entries.
Status Outboxes::trim(TopicTransaction& transaction, const std::string& log, std::uint64_t last) {
  std::string key;
  for (std::uint64_t delivered = trimmed(log) + 1; delivered <= last; ++delivered) {
    key.clear();
    state::append_big_endian(key, delivered, 8);
    Status status =
        transaction.produce(topics_of_logs_.at(log).topic, {.partition = 0, .key = key});
    if (!status.is_ok()) return status;
  }
  return progress_.write(transaction, 0, std::string(kTrimmed) + log, std::to_string(last));
}

std::uint64_t Outboxes::trimmed(const std::string& log) const {
  const std::string* const known = progress_.find(std::string(kTrimmed) + log);
  return known == nullptr ? 0 : runtime::stored_number<std::uint64_t>(*known, log);
}

void Outboxes::add_positions(state::Commit& commit) const {
  for (const auto& [log, outbox] : topics_of_logs_) {
    commit.meta.emplace_back(LocalCopy::position_key(outbox.topic_name, 0),
                             std::to_string(outbox.next(0)));
  }
}

}  // namespace huiliu::connectors::kafka
