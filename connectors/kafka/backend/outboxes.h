#pragma once

#include <map>
#include <string>

#include "connectors/kafka/backend/applied_topic.h"
#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/local_copy.h"
#include "connectors/kafka/backend/progress_log.h"
#include "connectors/kafka/backend/state_topics.h"

namespace huiliu::connectors::kafka {

/// The topics `ID.SINK.outbox`: output that is committed and not yet delivered to a store. A record
/// is an entry of the outbox, its key the sequence number.
class Outboxes {
 public:
  /// All outlive the object.
  Outboxes(const BackendSetup& setup, const StateTopics& topics, LocalCopy& copy,
           ProgressLog& progress)
      : setup_(setup), topics_(topics), copy_(copy), progress_(progress) {}

  /// Brings the local copy's outboxes up to the topics.
  runtime::Status restore(TopicTransaction& transaction);
  /// Writes the entries of the epoch, and deletes those that were delivered.
  runtime::Status produce(TopicTransaction& transaction, const runtime::EpochCommit& commit);
  /// Adds how far the topics are applied with the commit.
  void add_positions(state::Commit& commit) const;

 private:
  runtime::Status restore_one(TopicTransaction& transaction, const std::string& log);
  runtime::Status take(const std::string& log, AppliedTopic& outbox, const ReplayedRecord& record);
  runtime::Status trim(TopicTransaction& transaction, const std::string& log, std::uint64_t last);
  std::uint64_t trimmed(const std::string& log) const;

  const BackendSetup& setup_;
  const StateTopics& topics_;
  LocalCopy& copy_;
  ProgressLog& progress_;
  std::map<std::string, AppliedTopic> topics_of_logs_;
};

}  // namespace huiliu::connectors::kafka
