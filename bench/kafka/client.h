#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace huiliu::bench {

template <auto Destroy>
struct Destroyer {
  template <class T>
  void operator()(T* pointer) const {
    Destroy(pointer);
  }
};
using Client = std::unique_ptr<rd_kafka_t, Destroyer<rd_kafka_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Destroyer<rd_kafka_topic_partition_list_destroy>>;
using GroupMetadata = std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                                      Destroyer<rd_kafka_consumer_group_metadata_destroy>>;
/// librdkafka's, e.g. linger.ms.
using Settings = std::vector<std::pair<std::string, std::string>>;

// None of these programs goes on after an error: a benchmark that did would measure the error.

/// Prints the message and ends the program with 1.
[[noreturn]] void fail(const std::string& message);
/// Ends the program if there is an error; takes it.
void require(rd_kafka_error_t* error, const char* what);
void require(rd_kafka_resp_err_t code, const char* what);

/// An idempotent producer (acks=all) with settings for throughput; `own` settings win.
Client make_producer(const std::string& bootstrap, const Settings& own);
/// A consumer of committed messages, whose poll queue is the consumer queue; `own` settings win.
Client make_consumer(const std::string& bootstrap, const Settings& own);

struct TopicHandle {
  Topic topic;
  int partitions = 0;
};
/// Asks the brokers for the topic, so that its first message does not wait for librdkafka's timer,
/// which looks for leaders once a second.
TopicHandle open_topic(rd_kafka_t* client, const std::string& name);
/// Offset behind the last message of a partition.
std::int64_t end_offset(rd_kafka_t* client, const std::string& topic, int partition);
/// Sum of the end offsets: grows by one with each message that arrives (without transactions).
std::int64_t end_offsets(rd_kafka_t* client, const TopicHandle& topic);
/// Reads all partitions from their beginning, without a group's balancing.
void assign_all(rd_kafka_t* consumer, const TopicHandle& topic);

}  // namespace huiliu::bench
