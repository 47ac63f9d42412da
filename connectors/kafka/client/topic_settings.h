#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

/// kInvalid with a remedy if one of those that exist has settings by which state is lost. Topics
/// whose settings the brokers do not tell are in `untold` then.
runtime::Status check_settings(rd_kafka_t* client, const std::vector<InternalTopic>& topics,
                               std::vector<std::string>& untold);
using TopicConfig = std::map<std::string, std::string>;
/// The settings of a topic, as the broker has them; kNotFound if the broker does not tell.
runtime::Result<TopicConfig> topic_settings(rd_kafka_t* client, const std::string& topic,
                                            int timeout_ms = kRequestMs);
/// transaction.max.timeout.ms of a broker; nothing if it does not tell.
runtime::Result<std::optional<std::int64_t>> longest_transaction_ms(rd_kafka_t* client);
/// Says which partition has fewer replicas in sync than the topic's settings demand, and what to do
/// about it; "" if none. Producers wait for them without a word.
runtime::Result<std::string> missing_replicas(rd_kafka_t* client, const std::string& topic,
                                              const TopicConfig& settings,
                                              int timeout_ms = kRequestMs);
/// Logs it. Not ok if the brokers do not answer.
runtime::Status warn_of_missing_replicas(rd_kafka_t* client, const std::string& topic,
                                         const TopicConfig& settings);

}  // namespace huiliu::connectors::kafka
