#pragma once

#include <cstdint>
#include <string>

#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/topic_settings.h"
#include "runtime/component/config.h"

namespace huiliu::connectors::kafka {

/// What topics must take of a sink.
struct WrittenMessages {
  bool has_key = false;
  std::uint64_t max_bytes = 0;  ///< of a message
};
WrittenMessages written_messages(const runtime::Config& sink);

/// Before the first record, since the brokers refuse whole batches, which would end the run:
/// kInvalid with a remedy if a topic with these settings does not take what the sink writes.
/// `client` is a producer with the settings of the one that writes; `writer` is who writes, for
/// people.
runtime::Status check_taken(rd_kafka_t* client, const std::string& topic,
                            const TopicConfig& settings, const WrittenMessages& messages,
                            const std::string& writer);
/// Asks the brokers for the topic's settings: as check_taken(), and the encoders of the cluster
/// `bootstrap` learn what they are to refuse. Logs what a person should know of the topic.
runtime::Status learn_topic(rd_kafka_t* client, const std::string& bootstrap,
                            const std::string& topic, const WrittenMessages& messages,
                            const std::string& node);

}  // namespace huiliu::connectors::kafka
