#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "tests/simulation/kafka/scheduler.h"

namespace huiliu::simulation {

struct FaultCounts;
struct MemberId;

struct JoinRequest {
  std::string group, member, instance, topic;
  int partitions = 0;  ///< of the topic
  Micros session = 0;
  std::set<int> owned;
};

struct JoinAnswer {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string member;
  int generation = -1;
};

/// The coordinator of consumer groups. Assignments are cooperative and sticky, of one topic.
class Groups {
 public:
  Groups(Scheduler& scheduler, FaultCounts& counts) : scheduler_(scheduler), counts_(counts) {}

  /// `answer` is called when the group is complete.
  void join(const JoinRequest& request, std::function<void(JoinAnswer)> answer);
  rd_kafka_resp_err_t sync(const std::string& group, const std::string& member, int generation,
                           std::set<int>& assigned);
  rd_kafka_resp_err_t heartbeat(const std::string& group, const std::string& member,
                                const std::string& instance, int generation);
  void leave(const std::string& group, const std::string& member);
  /// Another one has loaded the groups: sessions start over.
  void coordinator_is_back();
  /// Whether offsets of a transaction are taken.
  rd_kafka_resp_err_t check_offsets(const MemberId& member);

 private:
  struct Member {
    std::string instance;
    Micros session = 0, heard = 0;
    std::set<int> owned, assigned;
    bool joined = false;
    std::function<void(JoinAnswer)> answer;
  };
  struct Group {
    std::map<std::string, Member> members;
    std::map<std::string, Micros> pending;  // ids given out → until when they may join
    int generation = 0, partitions = 0;
    bool preparing = false;
    std::uint64_t round = 0;
  };

  rd_kafka_resp_err_t find(Group& group, const std::string& member, const std::string& instance,
                           Member*& found);
  void watch(Group& group, const std::string& member);
  void prepare(Group& group, Micros wait);
  void complete_if_all(Group& group);
  void complete(Group& group);
  static void assign(Group& group);
  void remove(Group& group, const std::string& member);

  Scheduler& scheduler_;
  FaultCounts& counts_;
  std::map<std::string, Group> groups_;
  std::uint64_t last_member_ = 0;
};

}  // namespace huiliu::simulation
