#include "connectors/kafka/backend/standby.h"

#include <array>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::Status;

Standby::Standby(Connection connection, std::string group, std::vector<FollowedTable> tables,
                 std::uint64_t most_unsaved)
    : connection_(std::move(connection)),
      group_(std::move(group)),
      tables_(std::move(tables)),
      most_unsaved_(most_unsaved) {
  for (FollowedTable& table : tables_) {
    by_topic_[table.topic] = &table;
    behind_ += table.positions.size();
  }
}

Standby::~Standby() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (client_) close_consumer(std::move(client_));
}

Status Standby::start() {
  const char* level =
      runtime::mutant("kafka.standby_uncommitted") ? "read_uncommitted" : "read_committed";
  auto client = make_client(RD_KAFKA_CONSUMER, connection_,
                            {{"group.id", group_},  // only named, for rights
                             {"enable.auto.commit", "false"},
                             {"auto.offset.reset", "error"},
                             {"isolation.level", level},
                             {"enable.partition.eof", "true"},
                             {"check.crcs", "true"},
                             {"queued.max.messages.kbytes", "16384"}});
  if (!client.is_ok()) return client.status();
  client_ = std::move(client.value());
  if (Status status = use_consumer_queue(client_.get()); !status.is_ok()) return status;
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(behind_)));
  for (const FollowedTable& table : tables_) {
    for (const auto& [shard, next] : table.positions) {
      rd_kafka_topic_partition_list_add(list.get(), table.topic.c_str(), shard)->offset = next;
    }
  }
  const Error error = error_of(rd_kafka_assign(client_.get(), list.get()));
  if (error) return as_status(error, "following the changelogs");
  thread_ = runtime::Thread([this] { run(); });
  return Status::ok();
}

bool Standby::wait_for_room() {
  std::unique_lock lock(mutex_);
  woken_.wait(lock, [this] { return closing_ || unsaved_ < most_unsaved_; });
  return !closing_;
}

void Standby::run() {
  constexpr int kWaitMs = 100;
  const Queue queue(rd_kafka_queue_get_consumer(client_.get()));
  std::array<rd_kafka_message_t*, 500> batch{};
  while (wait_for_room()) {
    const auto count =
        rd_kafka_consume_batch_queue(queue.get(), kWaitMs, batch.data(), batch.size());
    Status status = Status::ok();
    const std::lock_guard lock(mutex_);
    for (ssize_t i = 0; i < count; ++i) {
      const Message message(batch[static_cast<std::size_t>(i)]);
      if (status.is_ok()) status = take(*message);
    }
    if (status.is_ok()) continue;
    // The copy is only a shortcut: who takes a shard over checks it against the topic.
    spdlog::warn("copies of other workers' shards are no longer kept up to date: {}",
                 status.message());
    return;
  }
}

Status Standby::take(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    tell_if_complete(message);
    return Status::ok();
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Such as a broker that is away for a moment: the client goes on by itself.
    // What a backend would open everything anew for is no reason for a standby to end: it only gets
    // behind, and the client goes on by itself.
    const Status status = as_status(error_of(message.err), "following the changelogs");
    return status.code() == runtime::StatusCode::kRestart ? Status::ok() : status;
  }
  FollowedTable& table = *by_topic_.at(rd_kafka_topic_name(message.rkt));
  const auto shard = static_cast<std::uint16_t>(message.partition);
  std::int64_t& next = table.positions.at(shard);
  if (message.offset < next) return Status::ok();
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  auto rows = apply_record(table.form, *table.table, shard, key,
                           message.payload == nullptr ? std::nullopt : std::optional(value));
  if (!rows.is_ok()) return rows.status();
  next = message.offset + 1;
  unsaved_ += message.key_len + message.len;
  return Status::ok();
}

void Standby::tell_if_complete(const rd_kafka_message_t& end) {
  bool& reached = reached_[{rd_kafka_topic_name(end.rkt), end.partition}];
  if (std::exchange(reached, true)) return;
  if (--behind_ == 0) spdlog::info("copies of other workers' shards are up to date");
}

Standby::Positions Standby::collect(state::Commit& commit) {
  const std::lock_guard lock(mutex_);
  if (pending_positions_.empty() && unsaved_ > 0) {
    for (const FollowedTable& table : tables_) {
      pending_.push_back(table.table->freeze_epoch(commit.epoch));
      for (const auto& [shard, next] : table.positions) {
        pending_positions_.push_back({{table.topic, shard}, next});
      }
    }
    unsaved_ = 0;
    woken_.notify_all();
  }
  for (const state::Changes& changes : pending_) commit.changes.push_back(&changes);
  return pending_positions_;
}

void Standby::saved() {
  const std::lock_guard lock(mutex_);
  pending_.clear();
  pending_positions_.clear();
}

}  // namespace huiliu::connectors::kafka
