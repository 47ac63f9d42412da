#include "connectors/kafka/backend/group_ownership.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/client/position.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/meta_key.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::mutant;
using runtime::Status;

namespace {
std::string layout_key(std::uint16_t shard, std::string_view key) {
  return shard_key("!layout", shard) + "/" + std::string(key);
}
}  // namespace

// The name is kept in the state folder: a worker that is started again there ends the transaction
// that it left open itself.
std::string GroupOwnership::choose_name() {
  if (!setup_.options.worker.empty()) return setup_.options.worker;
  if (const std::string* const known = copy_.note(kName)) return *known;
  std::string name = random_owner();
  copy_.add_note(kName, name);
  return name;
}

// A worker whose name another process has by now must not open transactions, which would fence that
// process; and one that the group has expelled joins it again.
Status GroupOwnership::prepare() {
  worker_ = choose_name();
  std::shared_ptr<Membership>& membership = setup_.session->membership;
  if (!membership) return Status::ok();
  if (Status status = membership->failure(); !status.is_ok()) return status;
  if (membership->expelled()) membership.reset();
  return Status::ok();
}

// 1. The topics are there, and fit.
// 2. The local copy notes what it belongs to.
// 3. The worker joins the group and waits for a share of the shards.
// 4. It reads the progress of its shards; see read_progress().
// 5. It says in the progress of its shards that they are its own; see claim_shards().
Status GroupOwnership::take_over(TopicTransaction& transaction) {
  if (Status status = open_topics(transaction); !status.is_ok()) return status;
  if (Status status = copy_.remember(); !status.is_ok()) return status;
  if (Status status = join(); !status.is_ok()) return status;
  if (Status status = read_progress(transaction); !status.is_ok()) return status;
  return claim_shards(transaction);
}

Status GroupOwnership::open_topics(TopicTransaction& transaction) {
  std::vector<InternalTopic> topics = {topics_.work(), topics_.progress()};
  for (const auto& [topic, node, place] : setup_.needs.repartitions) {
    topics.push_back(topics_.repartition(topic));
  }
  for (const InternalTopic& topic : topics) {
    Status status = setup_.calls.ensure_topic(transaction.client(), topic);
    if (!status.is_ok()) return status;
  }
  return Status::ok();
}

Status GroupOwnership::join() {
  std::shared_ptr<Membership>& membership = setup_.session->membership;
  if (!membership) {
    auto joined = Membership::join({.connection = setup_.options.producer.connection,
                                    .group = setup_.options.group,
                                    .topic = topics_.name("", "work"),
                                    .instance = setup_.options.worker,
                                    .session_timeout_ms = setup_.options.session_timeout_ms});
    if (!joined.is_ok()) return joined.status();
    membership = joined.value();
  }
  auto shards = membership->take(setup_.interrupted);
  if (!shards.is_ok()) return shards.status();
  if (shards->empty()) return Status::restart("no share of the work yet");
  membership_ = membership;
  take_share(std::move(shards.value()));
  return Status::ok();
}

// 1. The partitions of the shards are read to the end of all records there are now, committed or
//    not: so the worker waits for every transaction whose offsets the brokers took before the shard
//    changed hands.
// 2. When that takes long, a transaction is open there. Its records that are not committed name the
//    worker that has written them, and the brokers end that worker's transaction.
// 3. A shard of which the local state has something, and the topic nothing, is refused.
Status GroupOwnership::read_progress(TopicTransaction& transaction) {
  auto topic = transaction.topic(progress_.topic_name(), {});
  if (!topic.is_ok()) return topic.status();
  progress_.use(*topic);
  std::vector<ReplayFrom> from;
  for (const std::uint16_t shard : owned_) from.push_back({shard, 0});
  const auto visit = [this, &from](const ReplayedRecord& record) {
    if (Status status = progress_.take(record); !status.is_ok()) return status;
    if (record.tombstone) return Status::ok();
    for (ReplayFrom& one : from) {
      if (one.partition == record.partition) one.offset = record.offset + 1;
    }
    return Status::ok();
  };
  const std::vector<ReplayFrom> all = from;
  ReplayRequest request = setup_.replay(progress_.topic_name(), all);
  if (!mutant("kafka.open_ignored")) {
    request.on_open_transaction = [&] {
      auto open = find_open_transactions(setup_, progress_.topic_name(), from, worker_);
      return open.is_ok() ? end_transactions(setup_, *open) : open.status();
    };
  }
  const ReplayEnd end = setup_.calls.replay(request, visit);
  if (!end.status.is_ok()) return end.status;
  for (const std::uint16_t shard : owned_) {
    if (Status status = check_not_recreated(shard); !status.is_ok()) return status;
  }
  return Status::ok();
}

// The local state has a copy of a shard whose progress is not known: the progress topic was
// recreated.
Status GroupOwnership::check_not_recreated(std::uint16_t shard) const {
  if (progress_.has(shard_key(kWorker, shard)) || !copy_.has_position_of_shard(shard)) {
    return Status::ok();
  }
  return Status::corrupt(fmt::format(
      "topic {} holds nothing of shard {}, but the local state does: the topic was recreated. "
      "Restore it, or start afresh with another `topology` id",
      progress_.topic_name(), shard));
}

// A successor relies on this: only the worker that a shard's progress names may have a transaction
// open that writes to the shard.
// 1. The transactions of the workers that are named so far are ended, unless those have said that
//    they left nothing open.
// 2. A transaction writes this worker's name into the progress of each shard, and that it has not
//    left.
// 3. If anything was written, the offsets prove that the worker still is a member of the group.
// 4. The commit makes the names true. It also lets readers go on that wait for what a dead worker
//    has left open.
Status GroupOwnership::claim_shards(TopicTransaction& transaction) {
  if (Status status = end_predecessors(transaction); !status.is_ok()) return status;
  if (Status status = transaction.begin(); !status.is_ok()) return status;
  bool all_ours = true;
  for (const std::uint16_t shard : owned_) {
    for (const auto& [key, value] : {std::pair(kWorker, worker_), std::pair(kLeft, kNobody)}) {
      auto written = progress_.put(transaction, shard, shard_key(key, shard), value);
      if (!written.is_ok()) return written.status();
      if (*written) all_ours = false;
    }
  }
  if (Status status = transaction.flush(); !status.is_ok()) return status;
  if (!all_ours) {
    if (Status status = send_offsets(transaction, EpochCommit{}); !status.is_ok()) return status;
  }
  runtime::failpoint("kafka.before_claim");
  if (Status status = transaction.commit(); !status.is_ok()) return status;
  runtime::failpoint("kafka.after_claim");
  return Status::ok();
}

// 1. Who has owned a shard and has not said that it left is dead, or hangs.
// 2. This worker proves that it still is a member: a worker that has lost its shards and does not
//    know it must not end the transactions of their owner.
// 3. The brokers end the transactions of the workers of step 1.
Status GroupOwnership::end_predecessors(TopicTransaction& transaction) {
  const std::set<std::string> dead = find_predecessors();
  if (dead.empty()) return Status::ok();
  if (Status status = prove_membership(transaction); !status.is_ok()) return status;
  return end_transactions(setup_, dead);
}

std::set<std::string> GroupOwnership::find_predecessors() {
  std::set<std::string> dead;
  for (const std::uint16_t shard : owned_) {
    const std::string* const worker = progress_.find(shard_key(kWorker, shard));
    if (worker == nullptr || *worker == worker_) continue;
    predecessors_.insert(*worker);
    const std::string* const left = progress_.find(shard_key(kLeft, shard));
    if (left == nullptr || *left != *worker) dead.insert(*worker);
  }
  return dead;
}

// The brokers refuse a transaction with offsets of a worker that is no member any more.
Status GroupOwnership::prove_membership(TopicTransaction& transaction) {
  if (Status status = transaction.begin(); !status.is_ok()) return status;
  if (Status status = send_offsets(transaction, EpochCommit{}); !status.is_ok()) return status;
  return transaction.commit();
}

// A worker that hung while it opened may miss rows which their new owner has consumed and deleted.
Status GroupOwnership::confirm(TopicTransaction& transaction) {
  if (Status status = transaction.abort(); !status.is_ok()) return status;
  return prove_membership(transaction);
}

std::function<Status()> GroupOwnership::on_open_transaction() {
  if (mutant("kafka.open_ignored")) return {};
  return [this] { return end_transactions(setup_, std::exchange(predecessors_, {})); };
}

void GroupOwnership::release() {
  if (membership_) membership_->release();
}

// Each shard has the layout of the state, since it may be without the others one day.
void GroupOwnership::announce() {
  for (const auto& [key, value] : setup_.needs.layout) {
    for (const std::uint16_t shard : owned_) progress_.add_next(layout_key(shard, key), value);
  }
  spdlog::info("worker {} has {} of {} shards", worker_, owned_.size(), setup_.needs.shards);
}

ProgressLog::Meta GroupOwnership::layout() const {
  ProgressLog::Meta layout;
  for (const std::uint16_t shard : owned_) {
    const std::string prefix = layout_key(shard, {});
    for (const auto& [key, value] : progress_.with_prefix(prefix)) {
      layout.emplace_back(key.substr(prefix.size()), value);
    }
  }
  return layout;
}

ProgressLog::Meta GroupOwnership::meta(std::string_view prefix) const {
  return prefix == runtime::kLayoutPrefix ? layout() : Ownership::meta(prefix);
}

std::vector<std::string> GroupOwnership::table_marks(const std::string& table) const {
  std::vector<std::string> marks;
  for (const std::uint16_t shard : owned_) {
    marks.push_back(shard_key(kShardTable, shard) + "/" + table);
  }
  return marks;
}

// Sums of the ledger are of one worker: they say nothing when its shards are another's. The layout
// is announced for each shard.
bool GroupOwnership::keeps(std::string_view key) const {
  return !key.starts_with(runtime::MetaKey::kLedger) && !key.starts_with(runtime::kLayoutPrefix);
}

// Keys of a shard are "!NAME/SHARD" or "!NAME/SHARD/REST". A split's time goes with its position.
int GroupOwnership::partition_of(std::string_view key) const {
  constexpr std::string_view kPrefix = runtime::MetaKey::kTime;
  const std::string_view place =
      key.starts_with(kPrefix) ? key.substr(key.find('/', kPrefix.size()) + 1) : key;
  if (const auto position = parse_position_key(place)) {
    return position->partition % setup_.needs.shards;
  }
  const std::string_view rest = key.substr(key.find('/') + 1);
  return runtime::stored_number<int>(rest.substr(0, rest.find('/')), key);
}

// Each partition gets a record before the offsets are sent: a worker that takes a shard over waits
// for it. The record may be the same as that of an earlier opening, and is written all the same.
Status GroupOwnership::produce_epoch(TopicTransaction& transaction, const EpochCommit& commit) {
  for (const std::uint16_t shard : owned_) {
    Status status = progress_.write(transaction, shard, shard_key(kEpoch, shard),
                                    fmt::format("{} {}", worker_, commit.epoch));
    if (!status.is_ok()) return status;
    if (!commit.last) continue;
    auto left = progress_.put(transaction, shard, shard_key(kLeft, shard), worker_);
    if (!left.is_ok()) return left.status();
  }
  return Status::ok();
}

// Offsets of the shards are nothing but a proof that this worker still is a member of the group.
void GroupOwnership::add_proof(rd_kafka_topic_partition_list_t& list) const {
  for (const std::uint16_t shard : owned_) {
    rd_kafka_topic_partition_list_add(&list, topics_.name("", "work").c_str(), shard)->offset = 0;
  }
}

GroupMetadata GroupOwnership::group() {
  if (metadata) return metadata();
  if (mutant("kafka.no_member")) {
    return GroupMetadata(rd_kafka_consumer_group_metadata_new(setup_.options.group.c_str()));
  }
  return membership_ ? membership_->metadata() : GroupMetadata();
}

void GroupOwnership::committed(TopicTransaction& transaction) {
  consumed_.forget(transaction.client(), setup_.needs, progress_);
}

}  // namespace huiliu::connectors::kafka
