#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/client/client.h"

namespace huiliu::connectors::kafka {

inline constexpr int kRequestMs = 30'000;
/// Compacted topics keep tombstones for a week; a copy of one that is nearly as old is not trusted,
/// and a topic that forgets them earlier is refused.
inline constexpr std::int64_t kOldestCopyMs = 5ll * 24 * 3600 * 1000;

/// A topic that the engine keeps for itself.
struct InternalTopic {
  std::string name;
  int partitions = 1;
  int replication = -1;  ///< -1: the broker's default
  Settings settings;     ///< e.g. cleanup.policy
};

/// Partitions of a topic; kInvalid with a remedy if it does not exist, after a few seconds.
runtime::Result<int> partition_count(rd_kafka_t* client, const std::string& topic);
/// Takes a few seconds to say no.
runtime::Result<bool> topic_exists(rd_kafka_t* client, const std::string& topic);
/// Names of all topics that the user may see.
runtime::Result<std::vector<std::string>> topic_names(rd_kafka_t* client);
/// Creates those that do not exist, at once; kInvalid if one has another number of partitions.
runtime::Status ensure_topics(rd_kafka_t* client, const std::vector<InternalTopic>& topics);
runtime::Status ensure_topic(rd_kafka_t* client, const InternalTopic& topic);

/// Whether Kafka allows the name.
bool is_topic_name(std::string_view name);
inline constexpr const char* kTopicNameRule = "1 to 249 letters, digits, '.', '_' or '-'";

/// Deletes the records before the offsets.
runtime::Status delete_records(rd_kafka_t* client, const rd_kafka_topic_partition_list_t* offsets);

/// First offset there is, and the one behind the last.
struct OffsetRange {
  std::int64_t begin = 0, end = 0;
};
runtime::Result<OffsetRange> offset_range(rd_kafka_t* client, const std::string& topic,
                                          int partition);

}  // namespace huiliu::connectors::kafka
