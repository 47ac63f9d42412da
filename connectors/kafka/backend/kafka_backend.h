#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/changelogs.h"
#include "connectors/kafka/backend/outboxes.h"
#include "connectors/kafka/backend/ownership.h"
#include "connectors/kafka/backend/standby.h"

namespace huiliu::connectors::kafka {

/// Commits an epoch by one Kafka transaction: outputs of sinks, changelogs of tables, outboxes, the
/// engine's positions (in a compacted progress topic) and the consumed offsets. What is committed
/// is then applied to the local store, which is nothing but a copy of it: it is behind after a
/// crash, and brought up to date from the topics.
///
/// Topics, all beginning with the topology's id: `ID.progress`; `ID.TABLE.changelog` with one
/// partition per shard; `ID.SINK.outbox`. With several workers the progress topic has a partition
/// per shard too, which its owner alone writes, and `ID.work` stands for the shards in the group.
class KafkaBackend final : public runtime::Backend {
 public:
  static runtime::Result<std::unique_ptr<KafkaBackend>> open(const runtime::BackendContext& context,
                                                             BackendOptions options);
  ~KafkaBackend() override;

  std::uint64_t last_epoch() const override { return epoch_; }
  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const override {
    return ownership_->meta(prefix);
  }
  runtime::Result<state::Table*> open_table(const std::string& name,
                                            const std::vector<std::uint16_t>& shards) override;
  runtime::Pacing pacing() const override;
  std::shared_ptr<void> freeze(state::Table& table, std::uint64_t epoch) override;
  runtime::LogTransaction* transaction() override { return transaction_.get(); }
  std::vector<std::uint16_t> owned_shards() const override { return ownership_->owned(); }
  runtime::Status opened() override;
  runtime::Status confirm() override { return ownership_->confirm(*transaction_); }
  runtime::Result<std::shared_ptr<runtime::Intake>> open_intake(
      const std::string& source, const runtime::IntakeOptions& options) override;
  runtime::Status commit(const runtime::EpochCommit& commit) override;
  std::vector<runtime::Figure> figures() const override;
  runtime::Result<std::vector<runtime::OutboxEntry>> read_log(const std::string& log,
                                                              std::uint64_t after,
                                                              std::size_t max_bytes) override;

 private:
  KafkaBackend(BackendSetup setup, LocalCopy copy);
  runtime::Status start();
  runtime::Status open_transactions();
  runtime::Status create_topics();
  runtime::Status commit_to_kafka(const runtime::EpochCommit& commit);
  runtime::Status commit_locally(const runtime::EpochCommit& commit);
  runtime::Status start_standby();
  std::vector<std::uint16_t> shards_of_others() const;

  BackendSetup setup_;
  StateTopics topics_;
  LocalCopy copy_;
  ProgressLog progress_;
  std::unique_ptr<Ownership> ownership_;
  ShardCopies shards_;
  Changelogs changelogs_;
  Outboxes outboxes_;
  std::unique_ptr<Standby> standby_;  // null: none
  std::unique_ptr<TopicTransaction> transaction_;
  std::atomic<std::uint64_t> epoch_{0};  // last one that Kafka has committed
};

}  // namespace huiliu::connectors::kafka
