// How the local copy is brought up to what Kafka has committed.
#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend_keys.h"
#include "connectors/kafka/kafka_backend.h"
#include "connectors/kafka/replay.h"
#include "connectors/kafka/topics.h"
#include "runtime/failpoint.h"
#include "runtime/key.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {

using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {

constexpr std::uint64_t kSegment = 128u << 20;
constexpr std::uint64_t kRestoreStep = 32u << 20;  // bytes between the local commits of a restore

}  // namespace

InternalTopic compacted(std::string name, int partitions, int replication,
                        std::uint64_t segment_bytes) {
  return {std::move(name),
          partitions,
          replication,
          {{"cleanup.policy", "compact"},
           {"segment.bytes", std::to_string(segment_bytes)},
           {"delete.retention.ms", std::to_string(7ll * 24 * 3600 * 1000)},
           {"max.message.bytes", "16777216"}}};
}

Result<KafkaBackend::Changelog*> KafkaBackend::changelog(const std::string& table) {
  Changelog& log = changelogs_[table];
  if (log.topic != nullptr) return &log;
  log.topic_name = topic_name(table, "changelog");
  std::vector<std::string> marks;  // that the topic was there once
  if (!membership_) marks.push_back(std::string(kTable) + table);
  for (const std::uint16_t shard : owned_) {
    marks.push_back(shard_key("!table", shard) + "/" + table);
  }
  const auto known = [this](const std::string& mark) { return meta_.contains(mark); };
  if (std::any_of(marks.begin(), marks.end(), known)) {
    auto exists = topic_exists(transaction_->client(), log.topic_name);
    if (!exists.is_ok()) return exists.status();
    if (!*exists) {
      return Status::corrupt(fmt::format(
          "topic {} is gone, and with it what table {} has held. Restore it, or start afresh with "
          "another `topology` id",
          log.topic_name, table));
    }
  }
  for (const std::string& mark : marks) {
    if (!known(mark)) new_meta_.emplace_back(mark, log.topic_name);
  }
  if (Status status =
          ensure_topic(transaction_->client(),
                       compacted(log.topic_name, topology_.shards, options_.replication, kSegment));
      !status.is_ok()) {
    return status;
  }
  auto topic = transaction_->topic(log.topic_name);
  if (!topic.is_ok()) return topic.status();
  log.topic = *topic;
  log.restart.assign(topology_.shards, 0);
  return &log;
}

Result<state::Table*> KafkaBackend::open_table(const std::string& name,
                                               const std::vector<std::uint16_t>& shards) {
  auto log = changelog(name);
  if (!log.is_ok()) return log.status();
  auto table = store_->table(name, shards);
  if (!table.is_ok()) return table;
  if (Status status = restore(name, shards, *table.value(), **log); !status.is_ok()) return status;
  local_ahead_ = local_epoch_ - epoch_;
  return table;
}

Status KafkaBackend::restore(const std::string& name, const std::vector<std::uint16_t>& shards,
                             state::Table& table, Changelog& log) {
  std::vector<ReplayFrom> from;
  for (const std::uint16_t shard : shards) {
    const auto known = local_.find(local_position(log.topic_name, shard));
    log.restart[shard] = known == local_.end() ? 0 : std::stoll(known->second);
    const bool old = known != local_.end() && is_too_old(known->second);
    from.push_back({shard, log.restart[shard], old});
  }
  if (mutant("kafka.tail_skipped") && log.restart[shards.front()] > 0) return Status::ok();
  std::uint64_t unsaved = 0;
  const auto save = [&] {
    const state::Changes changes = table.freeze_epoch(++local_epoch_);
    state::Commit local;
    local.epoch = local_epoch_;
    local.changes = {&changes};
    for (const std::uint16_t shard : shards) {
      local.meta.emplace_back(local_position(log.topic_name, shard), as_local(log.restart[shard]));
    }
    local.meta.emplace_back(kTime, std::to_string(now_ms()));
    unsaved = 0;
    if (store_->wants_pause()) store_->wait_for_flushes();
    return store_->commit(local);
  };
  const ReplayEnd end = replay_topic(
      {options_.producer.connection, options_.group, log.topic_name, from, on_open_transaction()},
      [&](const ReplayedRecord& record) {
        const auto shard = static_cast<std::uint16_t>(record.partition);
        const std::uint64_t hash = runtime::KeyBuilder::hash_bytes(record.key);
        if (record.tombstone) {
          table.erase(shard, record.key, hash);
        } else if (!mutant("kafka.restore_forgets") || hash % 64 != 0) {
          table.put(shard, record.key, hash, record.value);
        }
        log.restart[shard] = record.offset + 1;
        unsaved += record.key.size() + record.value.size();
        return unsaved < kRestoreStep ? Status::ok() : save();
      });
  if (!end.status.is_ok()) return end.status;
  for (std::size_t i = 0; i < shards.size(); ++i) log.restart[shards[i]] = end.next[i];
  if (end.records == 0) return Status::ok();
  // A copy that is up to date still reads its last record of each shard.
  constexpr std::uint64_t kMany = 1000;
  spdlog::log(end.records < kMany ? spdlog::level::debug : spdlog::level::info,
              "table {}: {} records, {} MiB restored from {}", name, end.records, end.bytes >> 20,
              log.topic_name);
  return save();
}

Status KafkaBackend::restore_outboxes() {
  for (const runtime::Node& node : topology_.nodes) {
    if (node.kind != runtime::ComponentKind::kSink || !node.sink->create_store) continue;
    if (Status status = restore_outbox(node.name); !status.is_ok()) return status;
  }
  local_ahead_ = local_epoch_ - epoch_;
  return Status::ok();
}

Status KafkaBackend::restore_outbox(const std::string& log) {
  Changelog& outbox = outboxes_[log];
  outbox.topic_name = topic_name(log, "outbox");
  if (Status status = ensure_topic(transaction_->client(),
                                   compacted(outbox.topic_name, 1, options_.replication, kSegment));
      !status.is_ok()) {
    return status;
  }
  auto topic = transaction_->topic(outbox.topic_name);
  if (!topic.is_ok()) return topic.status();
  outbox.topic = *topic;
  const auto known = local_.find(local_position(outbox.topic_name, 0));
  outbox.restart = {known == local_.end() ? 0 : std::stoll(known->second)};
  const auto trim = meta_.find(std::string(kTrimmed) + log);
  const std::uint64_t trimmed = trim == meta_.end() ? 0 : std::stoull(trim->second);
  const std::vector<ReplayFrom> from = {{0, outbox.restart[0]}};
  const ReplayEnd end =
      replay_topic({options_.producer.connection, options_.group, outbox.topic_name, from},
                   [&](const ReplayedRecord& record) {
                     outbox.restart[0] = record.offset + 1;
                     const std::uint64_t sequence = state::read_big_endian(record.key);
                     if (record.tombstone || sequence <= trimmed) return Status::ok();
                     const state::LogEntry entry{sequence, std::string(record.value.substr(8)),
                                                 state::read_big_endian(record.value.substr(0, 8))};
                     state::Commit local;
                     local.epoch = ++local_epoch_;
                     local.appends.emplace_back(log, &entry);
                     local.meta.emplace_back(local_position(outbox.topic_name, 0),
                                             std::to_string(outbox.restart[0]));
                     return store_->commit(local);
                   });
  if (end.status.is_ok()) outbox.restart[0] = end.next[0];
  return end.status;
}

}  // namespace huiliu::connectors::kafka
