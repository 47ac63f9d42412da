#include "bench/kafka/client.h"

#include <cstdlib>

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

// There is no callback for delivery reports: it would cost time per message, and a failed delivery
// makes the transaction's commit fail, or the flush of a producer without transactions (fatal_error).
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
  Client client = make_client(
      RD_KAFKA_CONSUMER,
      {{"bootstrap.servers", bootstrap},
       {"enable.auto.commit", "false"},
       {"enable.auto.offset.store", "false"},
       {"auto.offset.reset", "error"},
       {"isolation.level", "read_committed"},
       // Bounded by bytes alone: librdkafka before 2.2 fetches nothing for a second at either bound.
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
  std::int64_t begin = 0, end = 0;
  require(rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &begin, &end,
                                           kRequestMs),
          topic.c_str());
  return end;
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
