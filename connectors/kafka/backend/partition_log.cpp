#include "connectors/kafka/backend/partition_log.h"

#include <array>

#include <fmt/format.h>

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

Result<std::unique_ptr<PartitionLog>> PartitionLog::open(const Connection& connection,
                                                         const std::string& group,
                                                         const std::string& topic) {
  auto client = make_client(RD_KAFKA_CONSUMER, connection,
                            {{"group.id", group},
                             {"enable.auto.commit", "false"},
                             {"auto.offset.reset", "error"},
                             {"isolation.level", "read_uncommitted"},
                             {"check.crcs", "true"},
                             {"fetch.message.max.bytes", "8388608"},
                             {"queued.max.messages.kbytes", "16384"},
                             {"fetch.wait.max.ms", "100"},
                             {"fetch.error.backoff.ms", "20"}});
  if (!client.is_ok()) return client.status();
  HUILIU_RETURN_IF_ERROR(use_consumer_queue(client->get()));
  return std::unique_ptr<PartitionLog>(new PartitionLog(std::move(client.value()), topic));
}

PartitionLog::~PartitionLog() { close_consumer(std::move(client_)); }

Status PartitionLog::seek(std::int64_t offset) {
  if (offset == next_) return Status::ok();
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), 0)->offset = offset;
  HUILIU_RETURN_IF_ERROR(
      as_status(error_of(rd_kafka_assign(client_.get(), list.get())), "reading " + topic_));
  next_ = offset;
  return Status::ok();
}

Status PartitionLog::read(int most_ms, const Visit& visit) {
  const Queue queue(rd_kafka_queue_get_consumer(client_.get()));
  std::array<rd_kafka_message_t*, 100> batch{};
  const auto count = rd_kafka_consume_batch_queue(queue.get(), most_ms, batch.data(), batch.size());
  Status status = Status::ok();
  for (ssize_t i = 0; i < count; ++i) {
    const Message message(batch[static_cast<std::size_t>(i)]);
    if (status.is_ok()) status = take(*message, visit);
  }
  return status;
}

// What was fetched for another place may still come after a seek.
Status PartitionLog::take(const rd_kafka_message_t& message, const Visit& visit) {
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
      message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    return Status::corrupt(fmt::format(
        "{}: the entry at offset {} is gone: records were deleted there, or the topic was "
        "recreated. Restore the topic, or start afresh with another `topology` id",
        topic_, next_));
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const Error error = error_of(message.err);
    away_ = error.text;
    return unless_passing(error, "reading " + topic_);
  }
  away_.clear();
  if (message.offset < next_) return Status::ok();
  if (message.offset > next_) {
    return Status::corrupt(
        fmt::format("{}: offsets {} to {} are missing", topic_, next_, message.offset - 1));
  }
  visit(message.offset, {static_cast<const char*>(message.key), message.key_len},
        {static_cast<const char*>(message.payload), message.len});
  next_ = message.offset + 1;
  return Status::ok();
}

}  // namespace huiliu::connectors::kafka
