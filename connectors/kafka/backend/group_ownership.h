#pragma once

#include <memory>
#include <set>

#include "connectors/kafka/backend/consumed_rows.h"
#include "connectors/kafka/backend/fencing.h"
#include "connectors/kafka/backend/ownership.h"

namespace huiliu::connectors::kafka {

/// Several workers share the topology. A worker is in a consumer group, subscribed to `ID.work`, a
/// topic without records whose partitions are the shards. Each of its transactions writes to the
/// progress partition of every shard it owns and then sends offsets as a member of the group: the
/// brokers refuse the commit of a worker that has been expelled. Whoever gets a shard reads its
/// progress partition to the end of all records, which means that it waits for every transaction
/// whose offsets the brokers took before the shard changed hands.
class GroupOwnership final : public Ownership {
 public:
  using Ownership::Ownership;

  runtime::Status prepare() override;
  std::string transactional_id() const override { return worker_id(setup_, worker_); }
  runtime::Status take_over(TopicTransaction& transaction) override;
  void announce() override;
  void release() override;

  std::string worker() const override { return worker_; }
  std::vector<std::uint16_t> owned() const override { return owned_; }
  bool changed() const override { return membership_ && membership_->changed(); }
  ProgressLog::Meta meta(std::string_view prefix) const override;
  std::vector<std::string> table_marks(const std::string& table) const override;
  std::function<runtime::Status()> on_open_transaction() override;
  runtime::Status confirm(TopicTransaction& transaction) override;
  void committed(TopicTransaction& transaction) override;

  /// The steps of take_over() after the group has given this worker shards, one by one for tests.
  void take_share(std::vector<std::uint16_t> shards) { owned_ = std::move(shards); }
  runtime::Status read_progress(TopicTransaction& transaction);
  runtime::Status claim_shards(TopicTransaction& transaction);
  /// In place of the membership's; for tests.
  std::function<GroupMetadata()> metadata;

 private:
  bool keeps(std::string_view key) const override;
  int partition_of(std::string_view key) const override;
  runtime::Status produce_epoch(TopicTransaction& transaction,
                                const runtime::EpochCommit& commit) override;
  void add_proof(rd_kafka_topic_partition_list_t& list) const override;
  GroupMetadata group() override;

  std::string choose_name();
  runtime::Status open_topics(TopicTransaction& transaction);
  runtime::Status join();
  runtime::Status prove_membership(TopicTransaction& transaction);
  runtime::Status end_predecessors(TopicTransaction& transaction);
  std::set<std::string> find_predecessors();
  runtime::Status check_not_recreated(std::uint16_t shard) const;
  ProgressLog::Meta layout() const;

  std::string worker_;                      // the name of this one
  std::shared_ptr<Membership> membership_;  // null: no share yet
  std::vector<std::uint16_t> owned_;
  std::set<std::string> predecessors_;  // who has owned them before
  ConsumedRows consumed_;
};

}  // namespace huiliu::connectors::kafka
