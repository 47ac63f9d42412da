#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "connectors/kafka/client/client.h"
#include "runtime/base/machine.h"

namespace huiliu::connectors::kafka {

struct MembershipOptions {
  Connection connection;
  std::string group;
  std::string topic;     ///< its partitions stand for the shards; nobody writes to it
  std::string instance;  ///< name of this worker if it keeps its share over a restart, or empty
  std::int64_t session_timeout_ms = 10'000;
};

/// This process's membership in the group of a topology's workers. The brokers assign the shards
/// (cooperatively: a worker goes on with those it keeps). What is taken away is given up only when
/// nobody works on it any more: then, and not before, another worker gets it. Thread-safe.
class Membership {
 public:
  static runtime::Result<std::shared_ptr<Membership>> join(MembershipOptions options);
  ~Membership();

  /// Waits for a share of the work and begins to use it, until release(). Empty if interrupted.
  runtime::Result<std::vector<std::uint16_t>> take(const std::function<bool()>& interrupted);
  void release();
  /// Why this process cannot be a member any more.
  runtime::Status failure();
  /// The share in use is to be given up or has grown: release it soon.
  bool changed() const { return changed_.load(std::memory_order_relaxed); }
  /// For the offsets of a transaction: the brokers refuse those of a member that has been expelled.
  /// Null if the shards in use are known to be lost.
  GroupMetadata metadata();
  /// The brokers have dropped this member and let the process in under a new member id, without
  /// telling it which shards it lost: a new Membership must join.
  bool expelled() const { return expelled_.load(std::memory_order_relaxed); }

 private:
  explicit Membership(MembershipOptions options) : options_(std::move(options)) {}
  runtime::Status open();
  void run();
  bool may_close();
  bool is_other_member();
  void fail(runtime::Status status);
  static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t* partitions, void* self);
  void add(const rd_kafka_topic_partition_list_t& partitions);
  void remove(const rd_kafka_topic_partition_list_t& partitions);

  MembershipOptions options_;
  std::mutex mutex_;
  runtime::Condition woken_;
  std::set<std::uint16_t> shards_;
  std::string member_;  // whom shards_ were given to
  bool in_use_ = false;
  bool removing_ = false;  // some of shards_ are about to be taken away
  bool closing_ = false;
  std::int64_t closing_since_ms_ = 0;
  bool assigned_ = false;  // the group has assigned shards since this worker joined; of thread_
  runtime::Status failure_ = runtime::Status::ok();
  std::atomic<bool> changed_{false}, expelled_{false};
  Client client_;
  runtime::Thread thread_;
};

}  // namespace huiliu::connectors::kafka
