#include "connectors/kafka/backend/sole_ownership.h"

#include <fmt/format.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/client/plain_producer.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/stored_number.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::failpoint;
using runtime::mutant;
using runtime::Status;

std::string SoleOwnership::transactional_id() const { return setup_.needs.topology_id; }

std::vector<std::string> SoleOwnership::table_marks(const std::string& table) const {
  return {std::string(kTable) + table};
}

// A process that reopens the backend only looks whether a successor has come: opening its
// transactions again would fence the successor.
Status SoleOwnership::prepare() {
  if (setup_.session->owner.empty()) return write_mark();
  owner_ = setup_.session->owner;
  if (Status status = read_progress(); !status.is_ok()) return status;
  return check_owner();
}

// The mark is written before the fence goes up, and without a transaction: a process that is fenced
// finds its successor's mark there, and can tell the successor from a transaction of its own that
// took too long.
// 1. The progress topic is read: a process whose config does not fit the state ends before it takes
//    anything over.
// 2. The mark is written, and the brokers have it.
Status SoleOwnership::write_mark() {
  auto producer = make_connected_producer(setup_.options.producer.connection);
  if (!producer.is_ok()) return producer.status();
  rd_kafka_t* const client = producer->client.get();
  if (Status status = setup_.calls.ensure_topic(client, topics_.progress()); !status.is_ok()) {
    return status;
  }
  if (Status status = read_progress(); !status.is_ok()) return status;
  if (Status status = check_shards(); !status.is_ok()) return status;
  owner_ = random_owner();
  if (Status status = produce_one(client, progress_.topic_name(), kOwner, owner_);
      !status.is_ok()) {
    return status;
  }
  progress_.set(kOwner, owner_);
  setup_.session->owner = owner_;
  failpoint("kafka.after_claim");
  return Status::ok();
}

// The transactions are open: the brokers have fenced the predecessor and ended what it had open. So
// what is read now is final.
// 1. The progress topic is read again.
// 2. If the mark is another process's by now, that one has taken over.
// 3. The last epoch and the number of shards are those of the state.
// 4. The local copy notes what it belongs to, and the next epoch the number of shards.
Status SoleOwnership::take_over(TopicTransaction& transaction) {
  if (Status status = setup_.calls.ensure_topic(transaction.client(), topics_.progress());
      !status.is_ok()) {
    return status;
  }
  auto topic = transaction.topic(progress_.topic_name(), {});
  if (!topic.is_ok()) return topic.status();
  progress_.use(*topic);
  if (!mutant("kafka.marker_before_fence")) {
    if (Status status = read_progress(); !status.is_ok()) return status;
  }
  if (Status status = check_owner(); !status.is_ok()) return status;
  if (Status status = read_epoch(); !status.is_ok()) return status;
  if (Status status = check_shards(); !status.is_ok()) return status;
  if (Status status = copy_.remember(); !status.is_ok()) return status;
  if (progress_.find(kShards) == nullptr) {
    progress_.add_next(kShards, std::to_string(setup_.needs.shards));
  }
  return Status::ok();
}

Status SoleOwnership::read_progress() {
  const std::vector<ReplayFrom> from = {{0, 0}};
  return setup_.calls
      .replay(setup_.replay(progress_.topic_name(), from),
              [this](const ReplayedRecord& record) { return progress_.take(record); })
      .status;
}

Status SoleOwnership::check_owner() const {
  const std::string* const found = progress_.find(kOwner);
  if (found != nullptr && *found == owner_) return Status::ok();
  return Status::taken_over(fmt::format(
      "another process runs the topology '{}' and has taken over; this one ends. If both are meant "
      "to run, give them different `topology` ids",
      setup_.needs.topology_id));
}

Status SoleOwnership::read_epoch() {
  const std::string* const epoch = progress_.find(kEpoch);
  if (epoch != nullptr) {
    epoch_ = runtime::stored_number<std::uint64_t>(*epoch, kEpoch);
    return Status::ok();
  }
  if (copy_.note(kTime) == nullptr) return Status::ok();
  return Status::corrupt(
      fmt::format("topic {} holds no epoch, but the local state has some: the topic was recreated. "
                  "Restore it, or start afresh with another `topology` id",
                  progress_.topic_name()));
}

Status SoleOwnership::check_shards() const {
  const std::string* const shards = progress_.find(kShards);
  if (shards == nullptr || *shards == std::to_string(setup_.needs.shards)) return Status::ok();
  return Status::invalid(fmt::format(
      "the topology '{}' has state with {} shards in this cluster, not {}: `shards` is fixed for "
      "the life of the state; use the old number, or another `topology` id",
      setup_.needs.topology_id, *shards, setup_.needs.shards));
}

Status SoleOwnership::produce_epoch(TopicTransaction& transaction, const EpochCommit& commit) {
  auto written = progress_.put(transaction, 0, std::string(kEpoch), std::to_string(commit.epoch));
  return written.is_ok() ? Status::ok() : written.status();
}

// Nobody is a member of this group: the brokers take the offsets for what they are.
GroupMetadata SoleOwnership::group() {
  return GroupMetadata(rd_kafka_consumer_group_metadata_new(setup_.options.group.c_str()));
}

}  // namespace huiliu::connectors::kafka
