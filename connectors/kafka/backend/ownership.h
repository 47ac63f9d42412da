#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/local_copy.h"
#include "connectors/kafka/backend/progress_log.h"
#include "connectors/kafka/backend/state_topics.h"

namespace huiliu::connectors::kafka {

/// The parts that an ownership works with; all outlive it.
struct OwnershipParts {
  const BackendSetup& setup;
  const StateTopics& topics;
  LocalCopy& copy;
  ProgressLog& progress;
};

/// Which shards this process works on, and how it makes sure that nobody else commits for them: one
/// worker has all (sole_ownership.h), or a group of workers shares them (group_ownership.h).
class Ownership {
 public:
  explicit Ownership(const OwnershipParts& parts)
      : setup_(parts.setup), topics_(parts.topics), copy_(parts.copy), progress_(parts.progress) {}
  virtual ~Ownership() = default;
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  /// What comes before the transactions are opened, which fences the process that has the same
  /// transactional id.
  virtual runtime::Status prepare() = 0;
  virtual std::string transactional_id() const = 0;
  /// Reads what is committed and makes the shards this process's own. Afterwards nobody else
  /// commits for them.
  virtual runtime::Status take_over(TopicTransaction& transaction) = 0;
  /// All topics are there: keeps what is to be told with the first epoch.
  virtual void announce() {}
  /// The backend is closed: the shards may be given to others.
  virtual void release() {}

  /// The name of this process among those that write shared snapshots.
  virtual std::string worker() const = 0;
  /// Shards that this process works on; empty: all.
  virtual std::vector<std::uint16_t> owned() const { return {}; }
  /// The last epoch that is committed, as far as epochs are counted over processes; else 0.
  virtual std::uint64_t epoch() const { return 0; }
  /// Whether the shards are to be given up, or there are more: the backend is to be reopened.
  virtual bool changed() const { return false; }
  /// Values of the engine's keys.
  virtual ProgressLog::Meta meta(std::string_view prefix) const;
  /// Keys of the progress topic that say that the table's changelog was there once.
  virtual std::vector<std::string> table_marks(const std::string& table) const = 0;
  /// For replays of changelogs: what to do while a transaction is open there. Empty: nobody else
  /// has any.
  virtual std::function<runtime::Status()> on_open_transaction() { return {}; }

  /// After an error: not ok if this process has lost its shards.
  virtual runtime::Status confirm(TopicTransaction&) { return runtime::Status::ok(); }
  /// Writes the epoch's records of the progress topic.
  runtime::Status produce_progress(TopicTransaction& transaction,
                                   const runtime::EpochCommit& commit);
  /// Sends the consumed offsets: for lag monitors and for consumers that take over. The truth is in
  /// the progress topic, since the brokers forget offsets of groups.
  runtime::Status send_offsets(TopicTransaction& transaction, const runtime::EpochCommit& commit);
  /// The epoch's transaction is committed.
  virtual void committed(TopicTransaction&) {}

 protected:
  /// Whether the engine's key is kept in the progress topic.
  virtual bool keeps(std::string_view key) const = 0;
  virtual int partition_of(std::string_view key) const = 0;
  /// Writes the records that say that the epoch is committed.
  virtual runtime::Status produce_epoch(TopicTransaction& transaction,
                                        const runtime::EpochCommit& commit) = 0;
  /// Adds offsets that are only sent to prove something.
  virtual void add_proof(rd_kafka_topic_partition_list_t&) const {}
  /// As whom offsets are sent; null: this process has lost its shards.
  virtual GroupMetadata group() = 0;

  const BackendSetup& setup_;
  const StateTopics& topics_;
  LocalCopy& copy_;
  ProgressLog& progress_;
};

}  // namespace huiliu::connectors::kafka
