#include "bench/kafka/client.h"

#include <chrono>
#include <cstdlib>
#include <thread>

#include <fmt/format.h>

namespace huiliu::bench {
namespace {

constexpr int kRequestMs = 20'000;

Client make_client(rd_kafka_type_t type, const Settings& common, const Settings& own) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char message[512];
  for (const Settings* settings : {&common, &own}) {
    for (const auto& [name, value] : *settings) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), message, sizeof message) !=
          RD_KAFKA_CONF_OK) {
        fail(message);
      }
    }
  }
  Client client(rd_kafka_new(type, conf, message, sizeof message));
  if (!client) fail(message);
  return client;
}

}  // namespace

void fail(const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  std::_Exit(1);  // librdkafka's threads still run
}

void require(rd_kafka_error_t* error, const char* what) {
  if (error != nullptr) fail(fmt::format("{}: {}", what, rd_kafka_error_string(error)));
}

void require(rd_kafka_resp_err_t code, const char* what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) fail(fmt::format("{}: {}", what, rd_kafka_err2str(code)));
}

// No callback for delivery reports: it would cost time per message, and with one flush() and commit
// wait in steps of 10 ms. A lost message shows otherwise: a commit fails, or the counts differ.
Client make_producer(const std::string& bootstrap, const Settings& own) {
  return make_client(RD_KAFKA_PRODUCER,
                     {{"bootstrap.servers", bootstrap},
                      {"enable.idempotence", "true"},
                      {"acks", "all"},
                      {"linger.ms", "5"},
                      {"batch.size", "1000000"},
                      {"batch.num.messages", "100000"},
                      {"queue.buffering.max.messages", "10000000"},
                      {"queue.buffering.max.kbytes", "2097151"},
                      {"retry.backoff.ms", "5"},
                      {"socket.nagle.disable", "true"}},
                     own);
}

Client make_consumer(const std::string& bootstrap, const Settings& own) {
  Client client = make_client(RD_KAFKA_CONSUMER,
                              {{"bootstrap.servers", bootstrap},
                               {"enable.auto.commit", "false"},
                               {"enable.auto.offset.store", "false"},
                               {"auto.offset.reset", "error"},
                               {"isolation.level", "read_committed"},
                               // Bounded by bytes alone: librdkafka before 2.2 fetches nothing for
                               // a second at either bound.
                               {"queued.min.messages", "10000000"},
                               {"fetch.error.backoff.ms", "10"},
                               {"fetch.message.max.bytes", "4194304"},
                               {"socket.nagle.disable", "true"}},
                              own);
  rd_kafka_poll_set_consumer(client.get());
  return client;
}

TopicHandle open_topic(rd_kafka_t* client, const std::string& name) {
  TopicHandle handle;
  handle.topic.reset(rd_kafka_topic_new(client, name.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  require(rd_kafka_metadata(client, 0, handle.topic.get(), &metadata, kRequestMs), name.c_str());
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  require(found.err, name.c_str());
  handle.partitions = found.partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  return handle;
}

std::int64_t end_offset(rd_kafka_t* client, const std::string& topic, int partition) {
  constexpr std::chrono::milliseconds kPause(20);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kRequestMs);
  for (;;) {
    std::int64_t begin = 0, end = 0;
    const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        client, topic.c_str(), partition, &begin, &end, kRequestMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return end;
    // A broker tells of a new topic before it leads its partitions.
    const bool passing = code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
    if (!passing || std::chrono::steady_clock::now() > deadline) require(code, topic.c_str());
    std::this_thread::sleep_for(kPause);
  }
}

std::int64_t end_offsets(rd_kafka_t* client, const TopicHandle& topic) {
  std::int64_t sum = 0;
  for (int partition = 0; partition < topic.partitions; ++partition) {
    sum += end_offset(client, rd_kafka_topic_name(topic.topic.get()), partition);
  }
  return sum;
}

void assign_all(rd_kafka_t* consumer, const TopicHandle& topic) {
  const PartitionList list(rd_kafka_topic_partition_list_new(topic.partitions));
  for (int partition = 0; partition < topic.partitions; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), rd_kafka_topic_name(topic.topic.get()), partition)
        ->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  require(rd_kafka_assign(consumer, list.get()), "assign");
}

}  // namespace huiliu::bench
