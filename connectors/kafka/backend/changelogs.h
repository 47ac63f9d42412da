#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "connectors/kafka/backend/applied_topic.h"
#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/local_copy.h"
#include "connectors/kafka/backend/progress_log.h"
#include "connectors/kafka/backend/shard_copies.h"
#include "connectors/kafka/backend/standby.h"
#include "connectors/kafka/backend/state_topics.h"

namespace huiliu::connectors::kafka {

/// The changelogs of all tables: opens their topics, brings tables up to them, and writes the
/// changes of each epoch.
class Changelogs {
 public:
  using Marks = std::vector<std::string>;

  /// All outlive the object.
  Changelogs(const BackendSetup& setup, const StateTopics& topics, LocalCopy& copy,
             ProgressLog& progress, ShardCopies& shards)
      : setup_(setup), topics_(topics), copy_(copy), progress_(progress), shards_(shards) {}

  /// The part of the table with `shards`, as of what is committed. `marks` are keys of the progress
  /// topic that say that the changelog was there once: kCorrupt if it is not there any more.
  /// `on_open`: as in ReplayRequest.
  runtime::Result<state::Table*> open_table(TopicTransaction& transaction, const std::string& table,
                                            const std::vector<std::uint16_t>& shards,
                                            const Marks& marks,
                                            const std::function<runtime::Status()>& on_open);
  /// Parts with `shards` of the tables that are open, for a standby.
  runtime::Result<std::vector<FollowedTable>> follow(rd_kafka_t* client,
                                                     const std::vector<std::uint16_t>& shards);
  /// Writes the changes of the epoch.
  runtime::Status produce(TopicTransaction& transaction, const runtime::EpochCommit& commit);
  /// Adds how far the changelogs are applied with the changes of the commit.
  void add_positions(state::Commit& commit) const;

 private:
  struct Changelog : AppliedTopic {
    ChangelogForm form = ChangelogForm::kRows;
  };

  runtime::Result<Changelog*> open(TopicTransaction& transaction, const std::string& table,
                                   const Marks& marks);
  runtime::Status check_exists(rd_kafka_t* client, const std::string& table, const Marks& marks,
                               const Changelog& log) const;
  runtime::Status mark(const std::string& table, const Marks& marks, const Changelog& log);
  runtime::Status restore(const std::string& name, const std::vector<std::uint16_t>& shards,
                          state::Table& table, Changelog& log,
                          const std::function<runtime::Status()>& on_open);
  LocalCopy::Meta find_starts(const std::vector<std::uint16_t>& shards, Changelog& log) const;
  static LocalCopy::Meta reached(const std::vector<std::uint16_t>& shards, const Changelog& log);
  static runtime::Result<std::uint64_t> apply(const ReplayedRecord& record, state::Table& table,
                                              Changelog& log);
  runtime::Status add_rows(std::string_view blob);
  runtime::Status add_packed(std::string_view blob);

  const BackendSetup& setup_;
  const StateTopics& topics_;
  LocalCopy& copy_;
  ProgressLog& progress_;
  ShardCopies& shards_;
  std::map<std::string, Changelog> logs_;    // by table
  std::vector<rd_kafka_message_t> records_;  // scratch
  std::uint64_t pieces_ = 0;                 // of packed changelogs, for a mutant
};

}  // namespace huiliu::connectors::kafka
