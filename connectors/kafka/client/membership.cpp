#include "connectors/kafka/client/membership.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

namespace {
std::int64_t steady_ms() { return runtime::system_clock().steady_ms(); }

std::string member_id(rd_kafka_t* client) {
  char* id = rd_kafka_memberid(client);
  std::string text = id == nullptr ? "" : id;
  if (id != nullptr) rd_kafka_mem_free(client, id);
  return text;
}

}  // namespace

Result<std::shared_ptr<Membership>> Membership::join(MembershipOptions options) {
  std::shared_ptr<Membership> made(new Membership(std::move(options)));
  if (Status status = made->open(); !status.is_ok()) return status;
  return made;
}

Status Membership::open() {
  Settings settings = {{"group.id", options_.group},
                       {"partition.assignment.strategy", "cooperative-sticky"},
                       {"session.timeout.ms", std::to_string(options_.session_timeout_ms)},
                       {"heartbeat.interval.ms", std::to_string(std::min<std::int64_t>(
                                                     options_.session_timeout_ms / 4, 1000))},
                       {"max.poll.interval.ms", "600000"},
                       {"enable.auto.commit", "false"},
                       {"enable.auto.offset.store", "false"},
                       {"auto.offset.reset", "latest"}};
  if (!options_.instance.empty()) settings.emplace_back("group.instance.id", options_.instance);
  auto client =
      make_client(RD_KAFKA_CONSUMER, options_.connection, settings, [this](rd_kafka_conf_t* conf) {
        rd_kafka_conf_set_opaque(conf, this);
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
      });
  if (!client.is_ok()) return client.status();
  client_ = std::move(client.value());
  if (Status status = use_consumer_queue(client_.get()); !status.is_ok()) return status;
  const PartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
  const Error error = error_of(rd_kafka_subscribe(client_.get(), topics.get()));
  if (error) return as_status(error, "joining the group " + options_.group);
  thread_ = runtime::Thread([this] { run(); });
  return Status::ok();
}

Membership::~Membership() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    closing_since_ms_ = steady_ms();
    in_use_ = false;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// librdkafka before 2.3 aborts when a member ends between its joining and its first share (#4312).
bool Membership::may_close() {
  const std::lock_guard lock(mutex_);
  constexpr std::int64_t kLongestMs = 5000;
  return closing_ && (assigned_ || steady_ms() - closing_since_ms_ > kLongestMs);
}

void Membership::run() {
  constexpr int kWaitMs = 100;
  while (!may_close()) {
    const Message message(rd_kafka_consumer_poll(client_.get(), kWaitMs));
    if (!message || message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    char text[512];
    if (rd_kafka_fatal_error(client_.get(), text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail(Status::fatal(
          fmt::format("another worker is named '{}' too ({}); give each its own `worker`",
                      options_.instance, text)));
      break;
    }
    const Status status = as_status(error_of(message->err), "group " + options_.group);
    if (status.code() != runtime::StatusCode::kRestart) {
      fail(status);
    } else {
      // The client joins again by itself, which Huiliu sees as a new share.
      spdlog::info("{}; the client tries again", status.message());
    }
  }
  if (!assigned_) {
    // The process ends, and the group forgets the member when its session does.
    static_cast<void>(client_.release());
    return;
  }
  // The member leaves the group, so that the others need not wait for its session to end.
  const Error error = error_of(rd_kafka_consumer_close(client_.get()));
  if (error) spdlog::info("leaving the group {}: {}", options_.group, error.text);
}

void Membership::fail(Status status) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(status);
    changed_ = true;
  }
  woken_.notify_all();
}

Status Membership::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Membership::on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t* partitions, void* self) {
  auto* membership = static_cast<Membership*>(self);
  Error error;
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    membership->assigned_ = true;
    membership->is_other_member();
    error = huiliu::connectors::kafka::take(rd_kafka_incremental_assign(client, partitions));
    membership->add(*partitions);
  } else {
    membership->remove(*partitions);
    error = huiliu::connectors::kafka::take(rd_kafka_incremental_unassign(client, partitions));
  }
  if (error) spdlog::warn("group of workers: {}", error.text);
}

void Membership::add(const rd_kafka_topic_partition_list_t& partitions) {
  if (partitions.cnt == 0) return;
  {
    const std::string member = member_id(client_.get());
    const std::lock_guard lock(mutex_);
    if (shards_.empty()) member_ = member;
    for (int i = 0; i < partitions.cnt; ++i) {
      shards_.insert(static_cast<std::uint16_t>(partitions.elems[i].partition));
    }
    if (in_use_) changed_ = true;
    spdlog::info("{} shards came to this worker, which has {} now", partitions.cnt, shards_.size());
  }
  woken_.notify_all();
}

// The brokers give the partitions to another worker when this returns.
void Membership::remove(const rd_kafka_topic_partition_list_t& partitions) {
  if (partitions.cnt == 0) return;
  std::unique_lock lock(mutex_);
  changed_ = true;
  removing_ = true;
  woken_.wait(lock, [this] { return !in_use_ || closing_; });
  removing_ = false;
  for (int i = 0; i < partitions.cnt; ++i) {
    shards_.erase(static_cast<std::uint16_t>(partitions.elems[i].partition));
  }
  spdlog::info("{} shards went from this worker, which has {} now", partitions.cnt, shards_.size());
  lock.unlock();
  woken_.notify_all();
}

Result<std::vector<std::uint16_t>> Membership::take(const std::function<bool()>& interrupted) {
  constexpr std::int64_t kAskMs = 50, kTellMs = 10'000;
  std::unique_lock lock(mutex_);
  auto told = steady_ms();
  while ((shards_.empty() || removing_) && failure_.is_ok() && !expelled_) {
    woken_.wait_for(lock, kAskMs);
    if (interrupted && interrupted()) return std::vector<std::uint16_t>();
    if (steady_ms() - told < kTellMs) continue;
    told = steady_ms();
    spdlog::info("waiting for a share of the work: others have all shards");
  }
  if (!failure_.is_ok()) return failure_;
  if (expelled_) return Status::restart("the group has expelled this worker");
  changed_ = false;
  in_use_ = true;
  return std::vector<std::uint16_t>(shards_.begin(), shards_.end());
}

void Membership::release() {
  {
    const std::lock_guard lock(mutex_);
    in_use_ = false;
  }
  woken_.notify_all();
}

// When the group expels a member with a name while it assigns the shards again, librdkafka 2.0
// joins under a new id and keeps the shards of the old one. Two workers would work on a shard, each
// with a right to commit.
bool Membership::is_other_member() {
  const std::string member = member_id(client_.get());
  const std::lock_guard lock(mutex_);
  if (shards_.empty() || member == member_) return false;
  if (!expelled_.exchange(true)) {
    spdlog::warn("the group has expelled this worker; it joins again");
  }
  changed_ = true;
  return true;
}

GroupMetadata Membership::metadata() {
  GroupMetadata metadata(rd_kafka_consumer_group_metadata(client_.get()));
  // Read the member id after the metadata: if it still is the old one, it had not changed when the
  // metadata was read.
  if (rd_kafka_assignment_lost(client_.get()) != 0 || is_other_member()) return {};
  return metadata;
}

}  // namespace huiliu::connectors::kafka
