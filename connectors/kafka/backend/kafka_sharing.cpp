// How several workers share a topology: who owns a shard, and what a new owner waits for.
//
// A worker is in a consumer group, subscribed to `ID.work`, a topic without records whose
// partitions are the shards. Each of its transactions writes to the progress partition of every
// shard it owns and then sends offsets as a member of the group: who has been expelled cannot
// commit. Whoever gets a shard reads its progress partition to the end of all records, which means
// that it waits for every transaction whose offsets the brokers took before the shard changed
// hands.
#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/kafka_backend.h"
#include "connectors/kafka/client/position.h"
#include "connectors/kafka/client/replay.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"
#include "state/embedded_backend.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::failpoint;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {
std::string layout_key(std::uint16_t shard, std::string_view key) {
  return shard_key("!layout", shard) + "/" + std::string(key);
}
}  // namespace

// Kept in the state folder: started again there, it ends the transaction it left open itself.
std::string KafkaBackend::worker_name() {
  if (!options_.worker.empty()) return options_.worker;
  const auto known = local_.find(std::string(kName));
  if (known != local_.end()) return known->second;
  std::string name = random_owner();
  new_local_.emplace_back(kName, name);
  return name;
}

// A topology's id has no slash, so no two workers of any topologies have the same.
std::string KafkaBackend::transactional_id(const std::string& worker) const {
  return needs_.topology_id + "/" + worker;
}

Status KafkaBackend::join(const runtime::BackendContext& context) {
  owner_ = worker_name();
  // Opening transactions would fence the one that has this name now.
  if (session_->membership) {
    if (Status status = session_->membership->failure(); !status.is_ok()) return status;
    if (session_->membership->expelled()) session_->membership.reset();
  }
  options_.producer.transactional_id = transactional_id(owner_);
  auto transaction = Transaction::open(options_.producer);
  if (!transaction.is_ok()) return transaction.status();
  transaction_ = std::move(transaction.value());
  if (Status status = check_cluster(); !status.is_ok()) return status;
  const InternalTopic work =
      uncompacted(topic_name("", "work"), needs_.shards, options_.replication);
  const InternalTopic progress = progress_topic();
  for (const InternalTopic* topic : {&work, &progress}) {
    if (Status status = ensure_topic(transaction_->client(), *topic); !status.is_ok())
      return status;
  }
  if (Status status = open_repartition_topics(); !status.is_ok()) return status;
  if (Status status = remember(); !status.is_ok()) return status;
  if (!session_->membership) {
    auto joined = Membership::join({.connection = options_.producer.connection,
                                    .group = options_.group,
                                    .topic = work.name,
                                    .instance = options_.worker,
                                    .session_timeout_ms = options_.session_timeout_ms});
    if (!joined.is_ok()) return joined.status();
    session_->membership = joined.value();
  }
  auto shards = session_->membership->take(context.interrupted);
  if (!shards.is_ok()) return shards.status();
  if (shards->empty()) return Status::restart("no share of the work yet");
  membership_ = session_->membership;
  owned_ = std::move(shards.value());
  group_.reset(rd_kafka_consumer_group_metadata_new(options_.group.c_str()));
  if (Status status = open_shared_progress(); !status.is_ok()) return status;
  if (Status status = claim_shards(); !status.is_ok()) return status;
  if (Status status = create_topics(); !status.is_ok()) return status;
  announce_layout();
  local_ahead_ = local_epoch_ - epoch_;
  spdlog::info("worker {} has {} of {} shards", owner_, owned_.size(), needs_.shards);
  return Status::ok();
}

Status KafkaBackend::open_repartition_topics() {
  for (const auto& [topic, node, place] : needs_.repartitions) {
    repartition_topics_.insert(topic);
    Status status = ensure_topic(transaction_->client(),
                                 uncompacted(topic, needs_.shards, options_.replication));
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status KafkaBackend::open_shared_progress() {
  const std::string name = topic_name("", "progress");
  auto topic = transaction_->topic(name);
  if (!topic.is_ok()) return topic.status();
  progress_ = *topic;
  std::vector<ReplayFrom> from;
  for (const std::uint16_t shard : owned_) from.push_back({shard, 0});
  const auto visit = [this, &from](const ReplayedRecord& record) {
    if (Status status = take_progress(record); !status.is_ok()) return status;
    if (record.tombstone) return Status::ok();
    for (ReplayFrom& one : from) {
      if (one.partition == record.partition) one.offset = record.offset + 1;
    }
    return Status::ok();
  };
  // What is open there has been written by one who names itself.
  const auto on_open = [&] {
    auto open = open_transactions(name, from);
    return open.is_ok() ? fence(open.value()) : open.status();
  };
  const std::vector<ReplayFrom> all = from;
  const ReplayEnd end =
      replay_topic({options_.producer.connection, options_.group, name, all,
                    mutant("kafka.open_ignored") ? std::function<Status()>() : on_open},
                   visit);
  if (!end.status.is_ok()) return end.status;
  for (const std::uint16_t shard : owned_) {
    if (Status status = check_not_recreated(shard); !status.is_ok()) return status;
  }
  return Status::ok();
}

// The local state has a copy of a shard whose progress is not known: the progress topic was
// recreated.
Status KafkaBackend::check_not_recreated(std::uint16_t shard) const {
  if (meta_.contains(shard_key(kWorker, shard))) return Status::ok();
  for (const auto& [key, value] : local_) {
    if (!key.starts_with(kPosition) || !key.ends_with("/" + std::to_string(shard))) continue;
    return Status::corrupt(fmt::format(
        "topic {} holds nothing of shard {}, but the local state does: the topic was recreated. "
        "Restore it, or start afresh with another `topology` id",
        topic_name("", "progress"), shard));
  }
  return Status::ok();
}

// Says in each shard's progress who may have a transaction open there from now on. Those who had it
// before have none any more by then: this is what a successor relies on, and what lets the readers
// of all that a dead one has written go on.
Status KafkaBackend::claim_shards() {
  if (Status status = end_predecessors(); !status.is_ok()) return status;
  bool all_ours = true;
  if (Status status = transaction_->begin(); !status.is_ok()) return status;
  const auto put = [&](std::uint16_t shard, std::string_view key, const std::string& value) {
    std::string& known = meta_[shard_key(key, shard)];
    if (known == value) return Status::ok();
    all_ours = false;
    known = value;
    return transaction_->produce(
        progress_, {.partition = shard, .key = shard_key(key, shard), .value = value});
  };
  for (const std::uint16_t shard : owned_) {
    if (Status status = put(shard, kWorker, owner_); !status.is_ok()) return status;
    if (Status status = put(shard, kLeft, kNobody); !status.is_ok()) return status;
  }
  if (Status status = transaction_->flush(); !status.is_ok()) return status;
  if (!all_ours) {
    if (Status status = send_offsets(EpochCommit{}); !status.is_ok()) return status;
  }
  failpoint("kafka.before_claim");
  if (Status status = transaction_->commit(); !status.is_ok()) return status;
  failpoint("kafka.after_claim");
  return Status::ok();
}

// Whoever has not said that it leaves is dead, or hangs.
Status KafkaBackend::end_predecessors() {
  std::set<std::string> dead;
  for (const std::uint16_t shard : owned_) {
    const auto worker = meta_.find(shard_key(kWorker, shard));
    if (worker == meta_.end() || worker->second == owner_) continue;
    predecessors_.insert(worker->second);
    const auto left = meta_.find(shard_key(kLeft, shard));
    if (left == meta_.end() || left->second != worker->second) dead.insert(worker->second);
  }
  if (dead.empty()) return Status::ok();
  // One that has lost its shards without knowing it must not end their owner's transactions.
  if (Status status = transaction_->begin(); !status.is_ok()) return status;
  if (Status status = send_offsets(EpochCommit{}); !status.is_ok()) return status;
  if (Status status = transaction_->commit(); !status.is_ok()) return status;
  return fence(dead);
}

// A worker that hung while it opened may miss rows which their new owner has consumed and deleted.
Status KafkaBackend::confirm() {
  if (!membership_) return Status::ok();
  if (Status status = transaction_->abort(); !status.is_ok()) return status;
  if (Status status = transaction_->begin(); !status.is_ok()) return status;
  if (Status status = send_offsets(EpochCommit{}); !status.is_ok()) return status;
  return transaction_->commit();
}

std::function<Status()> KafkaBackend::on_open_transaction() {
  if (!membership_ || mutant("kafka.open_ignored")) return {};
  return [this] { return fence(std::exchange(predecessors_, {})); };
}

// Names of workers in records of the progress topic that are not committed. Names in aborted
// transactions are among them: ending a transaction of such a worker costs it a reopening, no more.
Result<std::set<std::string>> KafkaBackend::open_transactions(const std::string& topic,
                                                              const std::vector<ReplayFrom>& from) {
  std::set<std::string> names;
  const ReplayEnd end = replay_topic(
      {options_.producer.connection, options_.group, topic, from, {}, {}, false},
      [&](const ReplayedRecord& record) {
        const bool of_epoch = record.key.starts_with(kEpoch);
        if (record.tombstone || (!of_epoch && !record.key.starts_with(kWorker)))
          return Status::ok();
        const auto name = of_epoch ? record.value.substr(0, record.value.rfind(' ')) : record.value;
        if (name != owner_) names.emplace(name);
        return Status::ok();
      });
  if (!end.status.is_ok()) return end.status;
  return names;
}

// A worker that is dead or hangs has left a transaction open: the brokers end it now, not at its
// timeout. A worker whose process runs opens its transactions again.
Status KafkaBackend::fence(const std::set<std::string>& workers) {
  for (const std::string& worker : workers) {
    spdlog::warn("ending the transaction that worker {} has left open", worker);
    ProducerOptions theirs = options_.producer;
    theirs.transactional_id = transactional_id(worker);
    auto fenced = Transaction::open(theirs);
    if (!fenced.is_ok()) return fenced.status();
  }
  return Status::ok();
}

std::vector<std::uint16_t> KafkaBackend::shards_of_others() const {
  std::vector<std::uint16_t> shards;
  for (std::uint16_t shard = 0; shard < needs_.shards; ++shard) {
    if (std::find(owned_.begin(), owned_.end(), shard) == owned_.end()) shards.push_back(shard);
  }
  return shards;
}

// The group may give any worker any shard: so each has a copy of all that are not its own.
Status KafkaBackend::start_standby() {
  const std::vector<std::uint16_t> shards = shards_of_others();
  if (!membership_ || !options_.standby || shards.empty() || changelogs_.empty()) {
    return Status::ok();
  }
  std::vector<FollowedTable> followed;
  for (const auto& [name, log] : changelogs_) {
    Status status = prepare_shards(name, shards, log);
    if (!status.is_ok()) return status;
    auto table = store_->table(name, shards);
    if (!table.is_ok()) return table.status();
    FollowedTable& one = followed.emplace_back(FollowedTable{log.topic_name, log.form, *table, {}});
    for (const std::uint16_t shard : shards) {
      const auto known = local_.find(local_position(log.topic_name, shard));
      one.positions[shard] = known == local_.end() ? 0 : local_offset(known->second);
    }
  }
  constexpr std::uint64_t kMost = 32u << 20;
  const std::uint64_t budget = state::store_options(needs_).memory_bytes;
  standby_ = std::make_unique<Standby>(options_.producer.connection, options_.group,
                                       std::move(followed), std::min(kMost, budget / 8));
  return standby_->start();
}

// Each shard has the layout of the state, since it may be without the others one day.
void KafkaBackend::announce_layout() {
  for (const auto& [key, value] : needs_.layout) {
    for (const std::uint16_t shard : owned_) new_meta_.emplace_back(layout_key(shard, key), value);
  }
}

std::vector<std::pair<std::string, std::string>> KafkaBackend::shared_layout() const {
  std::vector<std::pair<std::string, std::string>> layout;
  for (const std::uint16_t shard : owned_) {
    const std::string prefix = layout_key(shard, {});
    for (auto it = meta_.lower_bound(prefix); it != meta_.end() && it->first.starts_with(prefix);
         ++it) {
      layout.emplace_back(it->first.substr(prefix.size()), it->second);
    }
  }
  return layout;
}

int KafkaBackend::progress_partition(std::string_view key) const {
  if (!membership_) return 0;
  if (const auto position = parse_position_key(key)) return position->partition % needs_.shards;
  // Keys of a shard are "!NAME/SHARD" or "!NAME/SHARD/REST".
  const std::string_view rest = key.substr(key.find('/') + 1);
  return runtime::stored_number<int>(rest.substr(0, rest.find('/')), key);
}

// Rows behind the committed position of their reader are of no use to anybody. Only of the engine's
// own topics: an input may have any name.
void KafkaBackend::forget_consumed() {
  constexpr std::int64_t kEveryMs = 30'000;
  if (now_ms() - forgotten_ms_ < kEveryMs) return;
  forgotten_ms_ = now_ms();
  const PartitionList list(rd_kafka_topic_partition_list_new(8));
  for (const auto& [key, value] : meta_) {
    const auto place = parse_position_key(key);
    if (!place || !repartition_topics_.contains(place->topic)) continue;
    const auto position = parse_position(value);
    if (!position) continue;
    rd_kafka_topic_partition_list_add(list.get(), place->topic.c_str(), place->partition)->offset =
        position->next;
  }
  if (list->cnt == 0) return;
  if (Status status = delete_records(transaction_->client(), list.get()); !status.is_ok()) {
    spdlog::warn("{}; the topic keeps growing", status.message());
  }
}

}  // namespace huiliu::connectors::kafka
