#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/source/shared_consumer.h"

namespace huiliu::connectors::kafka {

/// librdkafka's own broker for tests, in this process. It knows no transactions.
class MockBrokers {
 public:
  MockBrokers() {
    auto client = make_client(RD_KAFKA_PRODUCER, {.bootstrap = "", .settings = {}}, {});
    EXPECT_TRUE(client.is_ok()) << client.status().message();
    owner_ = std::move(client.value());
    cluster_.reset(rd_kafka_mock_cluster_new(owner_.get(), 1));
    auto producer = make_client(RD_KAFKA_PRODUCER, connection(), {{"linger.ms", "0"}});
    EXPECT_TRUE(producer.is_ok()) << producer.status().message();
    producer_ = std::move(producer.value());
  }

  Connection connection() const {
    return {.bootstrap = rd_kafka_mock_cluster_bootstraps(cluster_.get()), .settings = {}};
  }
  void create(const std::string& topic, int partitions = 1) {
    EXPECT_EQ(rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), partitions, 1), 0);
  }
  /// What brokers answer to all that asks for the topic.
  void fail(const std::string& topic, rd_kafka_resp_err_t error) {
    rd_kafka_mock_topic_set_error(cluster_.get(), topic.c_str(), error);
  }
  void produce(const std::string& topic, const std::vector<std::string>& values,
               int partition = 0) {
    // Otherwise the client looks for the topic's leader once a second.
    EXPECT_TRUE(partition_count(producer_.get(), topic).is_ok());
    for (const std::string& value : values) {
      const auto error = rd_kafka_producev(
          producer_.get(), RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(partition),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()), RD_KAFKA_V_END);
      EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_err2name(error);
    }
    EXPECT_EQ(rd_kafka_flush(producer_.get(), 30'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

 private:
  // The client ends after its brokers.
  Client owner_;
  std::unique_ptr<rd_kafka_mock_cluster_t, Deleter<rd_kafka_mock_cluster_destroy>> cluster_;
  Client producer_;
};

/// What came through a seat.
class Taken {
 public:
  explicit Taken(ConsumerSeat& seat) : seat_(seat) {}

  /// Takes what comes until the condition holds; false if it does not within half a minute.
  bool until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition() && std::chrono::steady_clock::now() < end) take();
    return condition();
  }
  bool until_messages(std::size_t count) {
    return until([&] { return messages.size() >= count; });
  }

  std::vector<std::string> messages;        ///< "topic[partition]offset=value", values shortened
  std::vector<rd_kafka_resp_err_t> errors;  ///< without the ends of partitions

 private:
  void take() {
    std::vector<rd_kafka_message_t*> batch(100);
    const std::size_t count = seat_.take(batch, 20);
    for (std::size_t i = 0; i < count; ++i) {
      const Message message(batch[i]);
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
      if (message->err) {
        errors.push_back(message->err);
        continue;
      }
      const std::string value(static_cast<const char*>(message->payload), message->len);
      messages.push_back(std::string(rd_kafka_topic_name(message->rkt)) + "[" +
                         std::to_string(message->partition) + "]" +
                         std::to_string(message->offset) + "=" + value.substr(0, 10));
    }
  }

  ConsumerSeat& seat_;
};

}  // namespace huiliu::connectors::kafka
