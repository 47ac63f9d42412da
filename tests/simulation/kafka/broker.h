#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "tests/simulation/kafka/group.h"
#include "tests/simulation/kafka/scheduler.h"

namespace huiliu::simulation {

/// Of a topic.
using PartitionId = std::pair<std::string, int>;

struct LogRecord {
  std::int64_t offset = 0, time_ms = 0;
  std::uint64_t transaction = 0;  ///< 0: none
  bool marker = false;            ///< of a transaction's end: takes an offset, nobody gets it
  bool has_key = false, has_value = false;
  std::string key, value;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// One partition.
struct Log {
  std::int64_t begin = 0, next = 0;
  std::vector<LogRecord> records;              ///< by offset; compaction leaves gaps
  std::map<std::uint64_t, std::int64_t> open;  ///< transaction → its first offset here
  std::set<std::uint64_t> aborted;
  Micros away_until = 0;  ///< without a leader

  /// Records before it are decided.
  std::int64_t stable() const;
  bool visible(const LogRecord& record, bool committed_only) const {
    return !record.marker && !(committed_only && aborted.contains(record.transaction));
  }
  /// Index of the first record from the offset on.
  std::size_t find(std::int64_t offset) const;
};

struct Topic {
  std::vector<Log> logs;
  bool compacted = false;
};

/// How often what goes wrong. All are probabilities of a request, but where it says otherwise.
struct Faults {
  double request_lost = 0, response_lost = 0, slow = 0;
  Micros slow_most = 0;       ///< delay of a slow request
  Micros marker_most = 2000;  ///< until a marker of a transaction's end is written
};

struct FaultCounts {
  std::uint64_t requests = 0, requests_lost = 0, responses_lost = 0, slow = 0, away = 0,
                transactions = 0, transactions_timed_out = 0, fenced = 0, aborted = 0,
                stale_members = 0, expelled = 0, rebalances = 0, compactions = 0, rows_deleted = 0,
                late_owners = 0;  ///< announcements of processes that were dead by then
};

struct Offset {
  PartitionId partition;
  std::int64_t offset = 0;
};

/// Who sends offsets; as consumers tell it.
struct MemberId {
  std::string group, member, instance;
  int generation = -1;
};

/// A cluster as its clients see it: logs, the coordinators of transactions and of groups.
/// Requests take effect when its functions are called; each answers as the broker does.
class Broker {
 public:
  Broker(Scheduler& scheduler, const Faults& faults)
      : scheduler_(scheduler), faults_(faults), groups_(scheduler, counts) {}

  Topic* topic(const std::string& name);
  Log* log(const PartitionId& partition);
  void create(const std::string& name, int partitions, bool compacted);
  const std::map<std::string, Topic>& topics() const { return topics_; }

  struct ProducerId {
    std::int64_t id = -1;
    int epoch = -1;
  };
  rd_kafka_resp_err_t init_producer(const std::string& transactional_id, Micros timeout,
                                    ProducerId& made);
  rd_kafka_resp_err_t add_partition(const std::string& transactional_id, ProducerId producer,
                                    const PartitionId& partition);
  /// In the producer's transaction, to a partition that it has added; or outside (empty id).
  rd_kafka_resp_err_t produce(const std::string& transactional_id, ProducerId producer,
                              const PartitionId& partition, std::vector<LogRecord> records,
                              std::int64_t& base);
  rd_kafka_resp_err_t send_offsets(const std::string& transactional_id, ProducerId producer,
                                   const MemberId& member, const std::vector<Offset>& offsets);
  rd_kafka_resp_err_t end(const std::string& transactional_id, ProducerId producer, bool commit);
  void delete_records(const PartitionId& partition, std::int64_t before);
  /// Removes what a later committed record of the same key replaces, and what was aborted.
  void compact(Topic& topic);
  /// No coordinator of transactions or groups answers until then.
  void lose_coordinators(Micros until);
  bool coordinators_away() const { return scheduler_.now() < coordinators_away_until_; }
  Groups& groups() { return groups_; }
  bool transactions_open() const;
  /// The first inconsistency that the broker itself has seen, or nothing.
  const std::string& problem() const { return problem_; }

  FaultCounts counts;

 private:
  enum class State { kEmpty, kOngoing, kCommitting, kAborting };
  struct Transactional {
    std::string name;
    ProducerId producer;
    State state = State::kEmpty;
    bool last_committed = false;
    std::uint64_t transaction = 0;
    Micros timeout = 0;
    std::set<PartitionId> partitions;
    std::vector<Offset> offsets;
    std::size_t markers_left = 0;
  };

  rd_kafka_resp_err_t begin_if_needed(Transactional& transactional);
  rd_kafka_resp_err_t check(const std::string& id, ProducerId producer, Transactional*& found);
  void finish(Transactional& transactional, bool commit);
  void write_marker(Transactional& transactional, const PartitionId& partition, bool commit);
  void complete(Transactional& transactional, bool commit);
  std::int64_t append(Log& log, LogRecord record);

  Scheduler& scheduler_;
  const Faults& faults_;
  std::map<std::string, Topic> topics_;
  std::map<std::string, Transactional> transactional_;
  std::map<PartitionId, std::int64_t> committed_;  // offsets of the group
  Micros coordinators_away_until_ = 0;
  std::int64_t last_producer_ = 0;
  std::uint64_t last_transaction_ = 0;
  std::string problem_;
  Groups groups_;
};

}  // namespace huiliu::simulation
