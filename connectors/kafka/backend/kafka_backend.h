#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "connectors/kafka/backend/backend_setup.h"
#include "connectors/kafka/backend/changelog.h"
#include "connectors/kafka/backend/shared_snapshots.h"
#include "connectors/kafka/backend/standby.h"
#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/membership.h"
#include "connectors/kafka/client/replay.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/client/transaction.h"
#include "runtime/component/backend.h"
#include "state/epoch_store.h"

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
  std::vector<std::pair<std::string, std::string>> meta(std::string_view prefix) const override;
  runtime::Result<state::Table*> open_table(const std::string& name,
                                            const std::vector<std::uint16_t>& shards) override;
  bool wants_epoch() const override { return store_->wants_epoch(); }
  bool wants_empty_epoch() const override { return standby_ && standby_->has_unsaved(); }
  bool wants_pause() const override { return store_->wants_pause(); }
  unsigned window_factor() const override { return 4; }  // measured: docs/performance.md
  std::shared_ptr<void> freeze(state::Table& table, std::uint64_t epoch) override;
  runtime::LogTransaction* transaction() override { return transaction_.get(); }
  std::vector<std::uint16_t> owned_shards() const override { return owned_; }
  bool wants_reopening() const override { return membership_ && membership_->changed(); }
  runtime::Status opened() override;
  runtime::Status confirm() override;
  runtime::Status commit(const runtime::EpochCommit& commit) override;
  runtime::Result<std::vector<runtime::OutboxEntry>> read_log(const std::string& log,
                                                              std::uint64_t after,
                                                              std::size_t max_bytes) override;

 private:
  struct Changelog {
    rd_kafka_topic_t* topic = nullptr;
    std::string topic_name;
    ChangelogForm form = ChangelogForm::kRows;
    std::vector<std::int64_t> restart;  // per shard: behind the last record read
    std::vector<std::int64_t> written;  // per shard: the last record written here, or -1

    void start_at(std::vector<std::int64_t> offsets) {
      restart = std::move(offsets);
      written.assign(restart.size(), -1);
    }
    /// An offset that a restore may start at.
    std::int64_t next(std::size_t shard) const {
      return std::max(restart[shard], written[shard] + 1);
    }
  };

  KafkaBackend(runtime::StateNeeds needs, BackendOptions options)
      : needs_(std::move(needs)), options_(std::move(options)) {}
  // Several workers (kafka_sharing.cpp).
  runtime::Status join(const runtime::BackendContext& context);
  runtime::Status open_shared_progress();
  runtime::Status open_repartition_topics();
  runtime::Status claim_shards();
  runtime::Status end_predecessors();
  runtime::Status fence(const std::set<std::string>& workers);
  runtime::Result<std::set<std::string>> open_transactions(const std::string& topic,
                                                           const std::vector<ReplayFrom>& from);
  runtime::Status check_not_recreated(std::uint16_t shard) const;
  std::string worker_name();
  std::string transactional_id(const std::string& worker) const;
  void announce_layout();
  std::vector<std::pair<std::string, std::string>> shared_layout() const;
  int progress_partition(std::string_view key) const;
  void forget_consumed();
  std::function<runtime::Status()> on_open_transaction();

  runtime::Status open_alone();
  runtime::Status open_store(const std::string& folder,
                             const std::function<void(state::StoreOptions&)>& adjust);
  runtime::Status open_progress();
  runtime::Status read_progress();
  runtime::Status claim();
  runtime::Status check_cluster();
  runtime::Status prepare_shards(const std::string& table, const std::vector<std::uint16_t>& shards,
                                 const Changelog& log);
  runtime::Status forget_old_shards(const std::vector<std::uint16_t>& shards, const Changelog& log);
  runtime::Status remember();
  runtime::Status create_topics();
  runtime::Status check_topics(const std::vector<InternalTopic>& topics);
  InternalTopic progress_topic() const;
  runtime::Status take_progress(const ReplayedRecord& record);
  ChangelogForm form_of_table(const std::string& name) const;
  InternalTopic topic_of_table(const std::string& name) const;
  runtime::Status mark(const std::string& table, const std::vector<std::string>& marks,
                       const Changelog& log);
  InternalTopic outbox_topic(const std::string& sink) const;
  std::vector<std::string> marks_of(const std::string& table) const;
  runtime::Status restore_outboxes();
  runtime::Status restore_outbox(const std::string& log);
  runtime::Result<Changelog*> changelog(const std::string& table);
  runtime::Status restore(const std::string& name, const std::vector<std::uint16_t>& shards,
                          state::Table& table, Changelog& log);
  runtime::Status produce_changes(const runtime::EpochCommit& commit);
  runtime::Status add_rows(std::string_view blob);
  runtime::Status add_packed(std::string_view blob);
  runtime::Status produce_appends(const runtime::EpochCommit& commit);
  runtime::Status produce_progress(const runtime::EpochCommit& commit);
  runtime::Status send_offsets(const runtime::EpochCommit& commit);
  runtime::Status commit_to_kafka(const runtime::EpochCommit& commit);
  runtime::Status commit_locally(const runtime::EpochCommit& commit);
  runtime::Status begin_local_copy();
  SharedSnapshots& open_snapshots();
  runtime::Status start_standby();
  std::vector<std::uint16_t> shards_of_others() const;
  runtime::Status announce();
  runtime::Status check_owner();
  runtime::Status check_shards() const;
  runtime::Status taken_over() const;
  std::string topic_name(std::string_view name, std::string_view kind) const;
  std::string local_position(std::string_view topic, int partition) const;

  runtime::StateNeeds needs_;
  BackendOptions options_;
  std::function<bool()> interrupted_;  // a start that takes long is to end
  std::unique_ptr<state::EpochStore> store_;
  std::unique_ptr<SharedSnapshots> snapshots_;  // null: none, or not looked for yet
  std::unique_ptr<Standby> standby_;            // null: none
  std::unique_ptr<Transaction> transaction_;
  rd_kafka_topic_t* progress_ = nullptr;
  GroupMetadata group_;
  std::string owner_;  // this process, in the progress topic
  std::shared_ptr<Session> session_;
  std::shared_ptr<Membership> membership_;  // null: one worker
  std::vector<std::uint16_t> owned_;        // several workers: this one's shards
  std::set<std::string> predecessors_;      // who has owned them before
  std::set<std::string> repartition_topics_;
  std::int64_t forgotten_ms_ = 0;  // when consumed rows were deleted last
  std::map<std::string, std::string> meta_;
  std::vector<std::pair<std::string, std::string>> new_meta_;  // to go with the next epoch
  std::map<std::string, std::string> local_;  // positions as the local store has them
  std::vector<std::pair<std::string, std::string>> new_local_;  // for remember()
  std::map<std::string, Changelog> changelogs_;
  std::map<std::string, Changelog> outboxes_;
  std::atomic<std::uint64_t> epoch_{0};  // last one that Kafka has committed
  std::uint64_t local_epoch_ = 0;  // the store numbers its own commits: restoring takes several
  std::vector<rd_kafka_message_t> records_;  // scratch
  std::uint64_t pieces_ = 0;                 // of packed changelogs, for a mutant
  std::uint64_t local_ahead_ = 0;            // local number of an epoch less its own number
};

}  // namespace huiliu::connectors::kafka
