#include "connectors/kafka/source/shared_consumer.h"

#include <algorithm>

#include <fmt/format.h>

#include "connectors/kafka/client/topics.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

namespace {

PartitionList list_of(const std::vector<std::pair<std::string, int>>& partitions) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const auto& [topic, number] : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), number);
  }
  return list;
}

Error error_of_first(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* list) {
  return error_of(code != RD_KAFKA_RESP_ERR_NO_ERROR ? code : list->elems[0].err);
}

}  // namespace

Result<std::shared_ptr<SharedConsumer>> SharedConsumer::make(const Connection& connection,
                                                             const Settings& settings) {
  std::shared_ptr<SharedConsumer> made(new SharedConsumer);
  auto client =
      make_client(RD_KAFKA_CONSUMER, connection, ClientStatistics::wanted(settings, connection),
                  [&](rd_kafka_conf_t* conf) {
                    rd_kafka_conf_set_opaque(conf, made->statistics_.get());
                    rd_kafka_conf_set_stats_cb(conf, on_statistics);
                  });
  if (!client.is_ok()) return client.status();
  made->client_ = std::move(client.value());
  if (Status status = use_consumer_queue(made->client_.get()); !status.is_ok()) return status;
  made->events_.reset(rd_kafka_queue_get_consumer(made->client_.get()));
  return made;
}

int SharedConsumer::on_statistics(rd_kafka_t*, char* json, std::size_t size, void* statistics) {
  static_cast<ClientStatistics*>(statistics)->take({json, size});
  return 0;  // the client frees it
}

SharedConsumer::~SharedConsumer() {
  events_.reset();
  close_consumer(std::move(client_), statistics_);
}

rd_kafka_queue_t* SharedConsumer::take_seat(const TopicSelection& topics) {
  const std::lock_guard lock(mutex_);
  const bool taken = std::any_of(selected_.begin(), selected_.end(),
                                 [&](const auto& other) { return other.may_meet(topics); });
  if (taken) return nullptr;
  selected_.push_back(topics);
  return queues_.emplace_back(rd_kafka_queue_new(client_.get()));
}

rd_kafka_queue_t* SharedConsumer::queue_for(rd_kafka_queue_t* queue) const {
  return runtime::mutant("kafka.queue_of_another") ? queues_.front() : queue;
}

// The client may still fetch for others: it is to fetch nothing that nobody takes. The partitions
// stay assigned, since librdkafka starts no partition while it stops one, and it may never end to
// stop one whose topic was deleted.
ConsumerSeat::~ConsumerSeat() {
  {
    const std::lock_guard lock(consumer_->mutex_);
    std::erase(consumer_->queues_, queue_.get());
    if (!consumer_->queues_.empty() && !assigned_.empty()) {
      rd_kafka_pause_partitions(client(), list_of(assigned_).get());
    }
  }
  queue_.reset();
}

// A partition's queue is forwarded before the partition is assigned: afterwards messages could
// already be in the client's own queue.
Error ConsumerSeat::assign(const rd_kafka_topic_partition_list_t* partitions) {
  if (partitions->cnt == 0) return {};
  const std::lock_guard lock(consumer_->mutex_);
  const std::span added(partitions->elems, static_cast<std::size_t>(partitions->cnt));
  for (const rd_kafka_topic_partition_t& one : added) {
    const Queue queue(rd_kafka_queue_get_partition(client(), one.topic, one.partition));
    if (!queue) return error_of(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION);
    rd_kafka_queue_forward(queue.get(), consumer_->queue_for(queue_.get()));
  }
  Error error = kafka::take(rd_kafka_incremental_assign(client(), partitions));
  if (error) return error;
  for (const rd_kafka_topic_partition_t& one : added) {
    assigned_.emplace_back(one.topic, one.partition);
  }
  return {};
}

// Not by assigning it anew: to stop a partition takes its queue's forwarding away, at some moment
// after the call that stops it.
Error ConsumerSeat::seek(const std::string& topic, int partition, std::int64_t offset) {
  const PartitionList list = list_of({{topic, partition}});
  list->elems[0].offset = offset;
  Error error = kafka::take(rd_kafka_seek_partitions(client(), list.get(), kRequestMs));
  return error ? error : error_of(list->elems[0].err);
}

Error ConsumerSeat::pause(const std::string& topic, int partition, bool paused) {
  const PartitionList list = list_of({{topic, partition}});
  return error_of_first(paused ? rd_kafka_pause_partitions(client(), list.get())
                               : rd_kafka_resume_partitions(client(), list.get()),
                        list.get());
}

std::int64_t ConsumerSeat::known_end(const std::string& topic, int partition) const {
  std::int64_t begin = -1, end = -1;
  const auto error =
      rd_kafka_get_watermark_offsets(client(), topic.c_str(), partition, &begin, &end);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? end : -1;
}

// A batch would be waited for until it is full, so only the first message is waited for.
std::size_t ConsumerSeat::take(std::span<rd_kafka_message_t*> messages, int most_wait_ms) {
  const auto more = [this](std::span<rd_kafka_message_t*> to) {
    const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 0, to.data(), to.size());
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  };
  if (const std::size_t count = more(messages); count > 0) return count;
  messages.front() = rd_kafka_consume_queue(queue_.get(), most_wait_ms);
  return messages.front() == nullptr ? 0 : 1 + more(messages.subspan(1));
}

std::vector<Error> ConsumerSeat::take_errors(std::int64_t now_ms) {
  constexpr std::int64_t kEveryMs = 100;
  std::int64_t looked = consumer_->looked_ms_;
  if (now_ms - looked < kEveryMs) return {};
  if (!consumer_->looked_ms_.compare_exchange_strong(looked, now_ms)) return {};
  std::vector<Error> errors;
  while (const Message message{rd_kafka_consume_queue(consumer_->events_.get(), 0)}) {
    // Messages are of partitions, and those have queues of their own.
    Error error = error_of(message->err ? message->err : RD_KAFKA_RESP_ERR__BAD_MSG);
    if (message->err) error.text = rd_kafka_message_errstr(message.get());
    errors.push_back(std::move(error));
  }
  return errors;
}

Result<std::unique_ptr<ConsumerSeat>> ConsumerPool::join(const Connection& connection,
                                                         const Settings& settings,
                                                         const TopicSelection& topics) {
  const std::lock_guard lock(mutex_);
  auto& consumers = consumers_[{connection.bootstrap, connection.settings, settings}];
  for (const auto& weak : consumers) {
    std::shared_ptr<SharedConsumer> consumer = weak.lock();
    if (!consumer) continue;
    if (Queue queue{consumer->take_seat(topics)}) {
      return std::make_unique<ConsumerSeat>(std::move(consumer), std::move(queue));
    }
  }
  auto made = SharedConsumer::make(connection, settings);
  if (!made.is_ok()) return made.status();
  consumers.push_back(*made);
  Queue queue((*made)->take_seat(topics));
  return std::make_unique<ConsumerSeat>(std::move(made.value()), std::move(queue));
}

std::vector<runtime::Figure> ConsumerPool::figures() {
  std::vector<runtime::Figure> figures;
  const std::lock_guard lock(mutex_);
  int number = 0;
  for (const auto& [key, consumers] : consumers_) {
    for (const auto& weak : consumers) {
      ++number;
      const std::shared_ptr<SharedConsumer> consumer = weak.lock();
      if (!consumer) continue;
      const auto of_it = consumer->statistics_->figures(fmt::format("consumer-{}", number));
      figures.insert(figures.end(), of_it.begin(), of_it.end());
    }
  }
  return figures;
}

std::size_t ConsumerPool::size() {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& [key, consumers] : consumers_) {
    count += static_cast<std::size_t>(
        std::count_if(consumers.begin(), consumers.end(),
                      [](const auto& consumer) { return !consumer.expired(); }));
  }
  return count;
}

}  // namespace huiliu::connectors::kafka
