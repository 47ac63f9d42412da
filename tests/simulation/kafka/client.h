#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "tests/simulation/kafka/broker.h"
#include "tests/simulation/kafka/scheduler.h"

namespace huiliu::simulation {

/// What the clients of all simulated processes live in.
struct Cluster {
  Scheduler& scheduler;
  Faults& faults;
  Broker& broker;
  std::set<rd_kafka_t*> clients = {};  ///< not destroyed yet
};
/// librdkafka's C API knows no other way to it.
Cluster*& cluster();

struct Callbacks {
  void* opaque = nullptr;
  void (*delivery)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr;
  void (*rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*,
                    void*) = nullptr;
};

/// How a request or its answer fares on the way.
struct Journey {
  Micros there = 0, back = 0;
  bool arrives = true, answered = true;
  static Journey draw(Cluster& cluster);
};

/// Of a record that is produced, and of what comes of it.
struct Outgoing {
  LogRecord record;
  void* opaque = nullptr;
};

struct Report {
  void* opaque = nullptr;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::int64_t offset = -1;
  std::size_t key_size = 0, value_size = 0;
};

class Client;
using ClientPtr = std::shared_ptr<Client>;

/// The part of a client that produces; its background thread is timers of the process.
class ProducerPart {
 public:
  ProducerPart(Client& client, std::string transactional_id, Micros transaction_timeout,
               Micros delivery_timeout)
      : client_(client),
        transactional_id_(std::move(transactional_id)),
        transaction_timeout_(transaction_timeout),
        delivery_timeout_(delivery_timeout) {}

  rd_kafka_resp_err_t init(Micros timeout);
  rd_kafka_resp_err_t begin();
  rd_kafka_resp_err_t produce(const PartitionId& partition, Outgoing record);
  rd_kafka_resp_err_t flush(Micros timeout);
  void purge();
  rd_kafka_resp_err_t send_offsets(const MemberId& member, std::vector<Offset> offsets,
                                   Micros timeout);
  rd_kafka_resp_err_t end(bool commit, Micros timeout);
  /// Calls the application's callback for what is delivered.
  int serve();

 private:
  struct Batch {
    std::vector<Outgoing> records;
    Micros deadline = 0;
    bool appended = false;  // an attempt whose answer was lost has done it
    std::int64_t base = -1;
    bool done = false;
  };
  using BatchPtr = std::shared_ptr<Batch>;
  struct Lane {
    std::vector<Outgoing> waiting;
    BatchPtr sent;
    bool planned = false;
  };

  void plan(const PartitionId& partition, Micros when);
  void send(const PartitionId& partition);
  void attempt(const PartitionId& partition, const BatchPtr& batch);
  void finish(const PartitionId& partition, const BatchPtr& batch, rd_kafka_resp_err_t error);
  void report(const std::vector<Outgoing>& records, rd_kafka_resp_err_t error, std::int64_t base);
  bool idle() const;
  void fail(rd_kafka_resp_err_t error);

  Client& client_;
  std::string transactional_id_;
  Micros transaction_timeout_, delivery_timeout_;
  Broker::ProducerId id_;
  bool in_transaction_ = false, used_ = false;
  rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // until it is aborted
  bool fatal_ = false;
  std::map<PartitionId, Lane> lanes_;
  std::deque<Report> reports_;
};

/// The part that reads assigned partitions.
class ReaderPart {
 public:
  ReaderPart(Client& client, bool committed_only, bool tells_end)
      : client_(client), committed_only_(committed_only), tells_end_(tells_end) {}
  void assign(const rd_kafka_topic_partition_list_t* list, bool anew);
  void unassign(const rd_kafka_topic_partition_list_t* list);
  void seek(const rd_kafka_topic_partition_list_t* list);
  void pause(const rd_kafka_topic_partition_list_t* list, bool paused);
  /// From then on what is read of the partition goes to that queue, not to the consumer's. As in
  /// librdkafka, a partition that was stopped goes to none until it is forwarded anew.
  void forward(const PartitionId& partition, const rd_kafka_queue_t* queue);
  /// What goes to the queue goes nowhere.
  void forget(const rd_kafka_queue_t* queue);
  std::size_t fetch(const rd_kafka_queue_t& queue, Micros wait, rd_kafka_message_t** messages,
                    std::size_t most);
  bool committed_only() const { return committed_only_; }

 private:
  struct Position {
    std::int64_t next = 0, told_end = -1;
    bool paused = false;
  };
  bool goes_to(const PartitionId& partition, const rd_kafka_queue_t& queue) const;
  std::size_t fetch_one(const PartitionId& partition, Position& position,
                        rd_kafka_message_t** messages, std::size_t most);

  Client& client_;
  bool committed_only_, tells_end_;
  std::map<PartitionId, Position> positions_;
  std::map<PartitionId, const rd_kafka_queue_t*> forwarded_;  // null: nowhere
};

/// The part that is a member of a group, after librdkafka 2.0.2's rdkafka_cgrp.c: its states, what
/// it forgets when, and which rebalances it skips.
class MemberPart : public std::enable_shared_from_this<MemberPart> {
 public:
  MemberPart(Client& client, std::string group, std::string instance, Micros session,
             Micros heartbeat);
  void subscribe(const std::string& topic);
  /// Serves a rebalance, or waits for one.
  rd_kafka_message_t* poll(Micros wait);
  void close();
  MemberId id() const;
  void assign_called(const rd_kafka_topic_partition_list_t* list, bool add);
  rd_kafka_resp_err_t fatal() const { return fatal_; }
  bool lost() const { return lost_; }

 private:
  enum class State { kInit, kWaitJoin, kWaitSync, kWaitCall, kSteady };
  void tick();
  void heartbeat();
  void on_heartbeat(rd_kafka_resp_err_t error);
  void join();
  void on_join(const JoinAnswer& answer);
  void sync();
  void on_sync(rd_kafka_resp_err_t error, const std::set<int>& assigned);
  void lose_all();
  void rejoin();
  void plan_call(rd_kafka_resp_err_t code, std::set<int> partitions);
  void call();
  /// Runs `at_broker` after a while, then `back` with its answer, unless one is lost.
  void exchange(const std::function<rd_kafka_resp_err_t()>& at_broker,
                const std::function<void(rd_kafka_resp_err_t)>& back);

  Client& client_;
  std::string group_, instance_, topic_;
  Micros session_, heartbeat_every_, heard_ = 0;
  State state_ = State::kInit;
  std::string member_;
  int generation_ = -1;
  std::uint64_t round_ = 0;  // answers to what was asked before a new start are old
  bool in_flight_ = false, subscribed_ = false, closing_ = false;
  std::set<int> owned_;
  struct Call {
    rd_kafka_resp_err_t code;
    std::set<int> partitions;
  };
  std::deque<Call> calls_;
  bool lost_ = false;                     // all partitions, and the callback does not know yet
  bool rejoin_ = false, adding_ = false;  // after the call
  std::set<int> added_;
  rd_kafka_resp_err_t fatal_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(Cluster& cluster, rd_kafka_t* handle, rd_kafka_type_t type, rd_kafka_conf_t* conf);

  /// Sends a request and waits for its answer as librdkafka does: what is lost, or may be tried
  /// again, is sent again until the timeout. What has not arrived by then may do so later.
  rd_kafka_resp_err_t request(const std::function<rd_kafka_resp_err_t()>& at_broker, Micros timeout,
                              bool to_coordinator = true);
  /// A timer of this client; nothing happens if it is destroyed by then.
  void later(Micros delay, std::function<void(Client&)> what);
  Scheduler& scheduler() { return cluster_.scheduler; }
  Broker& broker() { return cluster_.broker; }
  Cluster& in_cluster() { return cluster_; }
  bool alive() const { return !process_->dead; }
  rd_kafka_topic_t* topic(const std::string& name);

  rd_kafka_t* const handle;
  const ProcessPtr process_;
  Callbacks callbacks;
  std::string name;
  std::unique_ptr<ProducerPart> producer;
  std::unique_ptr<ReaderPart> reader;
  std::shared_ptr<MemberPart> member;

 private:
  Cluster& cluster_;
  std::map<std::string, std::unique_ptr<rd_kafka_topic_t>> topics_;
};

/// Whether the request may succeed if it is sent again.
bool is_retried(rd_kafka_resp_err_t error);

}  // namespace huiliu::simulation

struct rd_kafka_topic_s {
  std::string name;
  huiliu::simulation::Client* client = nullptr;
};
struct rd_kafka_s {
  huiliu::simulation::ClientPtr client;
};
struct rd_kafka_queue_s {
  huiliu::simulation::Client* client = nullptr;
  std::deque<rd_kafka_event_t*> events = {};
  bool of_consumer = false;
  huiliu::simulation::PartitionId partition = {};  ///< whose queue it is, if it is a partition's
};
struct rd_kafka_consumer_group_metadata_s {
  huiliu::simulation::MemberId id;
};
