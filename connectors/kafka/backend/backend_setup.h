#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "connectors/kafka/backend/backend_options.h"
#include "connectors/kafka/client/membership.h"
#include "connectors/kafka/client/replay.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/client/transaction.h"
#include "runtime/component/backend.h"

namespace huiliu::connectors::kafka {

/// What a process keeps between two openings of the backend.
struct Session {
  std::string owner;                       ///< one worker: its mark in the progress topic
  std::shared_ptr<Membership> membership;  ///< several workers
  bool start_checked = false;              ///< check_start() has found nothing
  std::shared_ptr<std::set<std::string>> checked_sinks = std::make_shared<std::set<std::string>>();
};

/// The requests to the brokers that the backend's parts make beside the epoch's transaction. Unit
/// tests put functions without brokers in their place.
struct BrokerCalls {
  using Visit = std::function<runtime::Status(const ReplayedRecord&)>;

  std::function<runtime::Result<std::unique_ptr<TopicTransaction>>(const ProducerOptions&)>
      open_transaction =
          [](const ProducerOptions& options) -> runtime::Result<std::unique_ptr<TopicTransaction>> {
    auto opened = Transaction::open(options);
    if (!opened.is_ok()) return opened.status();
    return std::unique_ptr<TopicTransaction>(std::move(opened.value()));
  };
  std::function<ReplayEnd(const ReplayRequest&, const Visit&)> replay = replay_topic;
  std::function<runtime::Status(rd_kafka_t*, const InternalTopic&)> ensure_topic =
      kafka::ensure_topic;
  std::function<runtime::Result<bool>(rd_kafka_t*, const std::string&)> topic_exists =
      kafka::topic_exists;
  std::function<runtime::Result<OffsetRange>(rd_kafka_t*, const std::string&, int)> offset_range =
      kafka::offset_range;
};

/// What all parts of the backend know and none changes, but for the options' transactional id.
struct BackendSetup {
  runtime::StateNeeds needs;
  BackendOptions options;
  std::function<bool()> interrupted;  ///< the process is to end; may be empty
  std::function<void(const runtime::RestoreProgress&)> restoring = {};
  std::shared_ptr<Session> session = std::make_shared<Session>();
  BrokerCalls calls;

  /// Of all records of the topic that are committed.
  ReplayRequest replay(const std::string& topic, const std::vector<ReplayFrom>& from) const {
    return {options.producer.connection, options.group, topic, from};
  }
};

}  // namespace huiliu::connectors::kafka
