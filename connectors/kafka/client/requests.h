#pragma once

#include <memory>
#include <string>

#include <fmt/format.h>

#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>>;

/// What the brokers know of a topic, or why they do not say.
struct Answer {
  Metadata metadata;
  Error error;
};

/// Of one topic, or of all if `topic` is null.
inline Answer ask_metadata(rd_kafka_t* client, rd_kafka_topic_t* topic,
                           int timeout_ms = kRequestMs) {
  const rd_kafka_metadata_t* found = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(client, topic == nullptr ? 1 : 0, topic, &found, timeout_ms);
  return {Metadata(found), error_of(code)};
}

/// Calls an admin API and waits for its event.
template <class Call>
runtime::Result<Event> admin(rd_kafka_t* client, const Call& call, const std::string& what,
                             int timeout_ms = kRequestMs) {
  const Queue queue(rd_kafka_queue_new(client));
  call(queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), timeout_ms));
  if (!event) return runtime::Status::restart(fmt::format("{}: no answer", what));
  if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get())) {
    return as_status(error_of(code), what);
  }
  return event;
}

/// librdkafka makes no handle of such a name.
inline runtime::Status no_topic(const std::string& name) {
  return runtime::Status::invalid(fmt::format("topic {}: {}; a topic's name is {}", name,
                                              rd_kafka_err2str(rd_kafka_last_error()),
                                              kTopicNameRule));
}

}  // namespace huiliu::connectors::kafka
