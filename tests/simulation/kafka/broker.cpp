#include "tests/simulation/kafka/broker.h"

#include <algorithm>

namespace huiliu::simulation {

std::int64_t Log::stable() const {
  std::int64_t first = next;
  for (const auto& [transaction, offset] : open) first = std::min(first, offset);
  return first;
}

std::size_t Log::find(std::int64_t offset) const {
  const auto at = std::lower_bound(
      records.begin(), records.end(), offset,
      [](const LogRecord& record, std::int64_t wanted) { return record.offset < wanted; });
  return static_cast<std::size_t>(at - records.begin());
}

Topic* Broker::topic(const std::string& name) {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

Log* Broker::log(const PartitionId& partition) {
  Topic* const found = topic(partition.first);
  if (found == nullptr || partition.second < 0) return nullptr;
  const auto number = static_cast<std::size_t>(partition.second);
  return number < found->logs.size() ? &found->logs[number] : nullptr;
}

void Broker::create(const std::string& name, int partitions, bool compacted) {
  scheduler_.note("create", {partitions}, name);
  Topic& made = topics_[name];
  made.logs.resize(static_cast<std::size_t>(partitions));
  made.compacted = compacted;
}

std::int64_t Broker::append(Log& log, LogRecord record) {
  record.offset = log.next++;
  if (record.time_ms <= 0) record.time_ms = scheduler_.now_ms();
  log.records.push_back(std::move(record));
  return log.next - 1;
}

rd_kafka_resp_err_t Broker::init_producer(const std::string& transactional_id, Micros timeout,
                                          ProducerId& made) {
  Transactional& one = transactional_[transactional_id];
  one.name = transactional_id;
  if (one.state == State::kOngoing) {
    ++one.producer.epoch;  // whoever has it now is fenced
    ++counts.fenced;
    finish(one, false);
  }
  if (one.state != State::kEmpty) return RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
  if (one.producer.id < 0) one.producer.id = ++last_producer_;
  ++one.producer.epoch;
  one.timeout = timeout;
  made = one.producer;
  scheduler_.note("init", {made.id, made.epoch}, transactional_id);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Broker::check(const std::string& id, ProducerId producer,
                                  Transactional*& found) {
  found = &transactional_[id];
  if (found->producer.id != producer.id) return RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING;
  if (found->producer.epoch != producer.epoch) return RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Broker::begin_if_needed(Transactional& one) {
  if (one.state == State::kOngoing) return RD_KAFKA_RESP_ERR_NO_ERROR;
  if (one.state != State::kEmpty) return RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS;
  one.state = State::kOngoing;
  one.transaction = ++last_transaction_;
  ++counts.transactions;
  const std::uint64_t number = one.transaction;
  // Brokers look for such transactions every now and then.
  scheduler_.at(scheduler_.now() + one.timeout + scheduler_.between(0, 1'000'000), nullptr,
                [this, &one, number] {
                  if (one.state != State::kOngoing || one.transaction != number) return;
                  ++counts.transactions_timed_out;
                  ++one.producer.epoch;
                  scheduler_.note("timed out", {static_cast<std::int64_t>(number)}, one.name);
                  finish(one, false);
                });
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Broker::add_partition(const std::string& transactional_id, ProducerId producer,
                                          const PartitionId& partition) {
  Transactional* one = nullptr;
  if (const auto error = check(transactional_id, producer, one)) return error;
  if (log(partition) == nullptr) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (const auto error = begin_if_needed(*one)) return error;
  one->partitions.insert(partition);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Broker::produce(const std::string& transactional_id, ProducerId producer,
                                    const PartitionId& partition, std::vector<LogRecord> records,
                                    std::int64_t& base) {
  Log* const to = log(partition);
  if (to == nullptr) return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (scheduler_.now() < to->away_until) return RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
  std::uint64_t transaction = 0;
  if (!transactional_id.empty()) {
    Transactional* one = nullptr;
    if (const auto error = check(transactional_id, producer, one)) return error;
    if (one->state != State::kOngoing || !one->partitions.contains(partition)) {
      return RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
    }
    transaction = one->transaction;
    to->open.emplace(transaction, to->next);
  }
  base = to->next;
  for (LogRecord& record : records) {
    record.transaction = transaction;
    append(*to, std::move(record));
  }
  scheduler_.note("produce",
                  {partition.second, base, to->next, static_cast<std::int64_t>(transaction)},
                  partition.first);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Broker::send_offsets(const std::string& transactional_id, ProducerId producer,
                                         const MemberId& member,
                                         const std::vector<Offset>& offsets) {
  Transactional* one = nullptr;
  if (const auto error = check(transactional_id, producer, one)) return error;
  if (const auto error = begin_if_needed(*one)) return error;
  if (const auto error = groups_.check_offsets(member)) {
    scheduler_.note("refused offsets", {error, member.generation}, member.member);
    ++counts.stale_members;
    return error;
  }
  scheduler_.note("offsets", {static_cast<std::int64_t>(one->transaction), member.generation},
                  member.member);
  one->offsets.insert(one->offsets.end(), offsets.begin(), offsets.end());
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Broker::end(const std::string& transactional_id, ProducerId producer,
                                bool commit) {
  Transactional* one = nullptr;
  if (const auto error = check(transactional_id, producer, one)) return error;
  switch (one->state) {
    case State::kOngoing:
      finish(*one, commit);
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    case State::kCommitting:
    case State::kAborting:
      return (one->state == State::kCommitting) == commit
                 ? RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS
                 : RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
    case State::kEmpty:
      break;
  }
  // Sent again after its answer was lost.
  if (one->transaction != 0 && one->last_committed == commit) return RD_KAFKA_RESP_ERR_NO_ERROR;
  return RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
}

// From here on the outcome stands; each partition hears of it by a marker of its own, some later.
void Broker::finish(Transactional& one, bool commit) {
  one.state = commit ? State::kCommitting : State::kAborting;
  scheduler_.note(commit ? "commit" : "abort", {static_cast<std::int64_t>(one.transaction)},
                  one.name);
  if (!commit) ++counts.aborted;
  one.markers_left = one.partitions.size() + 1;  // one for the offsets
  for (const PartitionId& partition : one.partitions) {
    scheduler_.at(scheduler_.now() + scheduler_.between(50, faults_.marker_most), nullptr,
                  [this, &one, partition, commit] { write_marker(one, partition, commit); });
  }
  scheduler_.at(scheduler_.now() + scheduler_.between(50, faults_.marker_most), nullptr,
                [this, &one, commit] {
                  if (--one.markers_left == 0) complete(one, commit);
                });
}

void Broker::write_marker(Transactional& one, const PartitionId& partition, bool commit) {
  Log& to = *log(partition);
  if (scheduler_.now() < to.away_until) {
    scheduler_.at(to.away_until + 1000, nullptr,
                  [this, &one, partition, commit] { write_marker(one, partition, commit); });
    return;
  }
  if (!commit) to.aborted.insert(one.transaction);
  to.open.erase(one.transaction);
  LogRecord marker;
  marker.marker = true;
  marker.transaction = one.transaction;
  append(to, std::move(marker));
  if (--one.markers_left == 0) complete(one, commit);
}

void Broker::complete(Transactional& one, bool commit) {
  for (const Offset& offset : one.offsets) {
    if (!commit) break;
    std::int64_t& known = committed_[offset.partition];
    if (offset.offset < known && problem_.empty()) {
      problem_ = "the committed offset of " + offset.partition.first + "[" +
                 std::to_string(offset.partition.second) + "] went from " + std::to_string(known) +
                 " back to " + std::to_string(offset.offset);
    }
    known = offset.offset;
  }
  one.offsets.clear();
  one.partitions.clear();
  one.last_committed = commit;
  one.state = State::kEmpty;
}

bool Broker::transactions_open() const {
  return std::any_of(transactional_.begin(), transactional_.end(),
                     [](const auto& one) { return one.second.state != State::kEmpty; });
}

// A coordinator that is not there expels nobody either.
void Broker::lose_coordinators(Micros until) {
  coordinators_away_until_ = std::max(coordinators_away_until_, until);
  for (Micros at = scheduler_.now(); at <= until; at += 500'000) {
    scheduler_.at(std::min(at, until), nullptr, [this] { groups_.coordinator_is_back(); });
  }
  scheduler_.at(until, nullptr, [this] { groups_.coordinator_is_back(); });
}

void Broker::delete_records(const PartitionId& partition, std::int64_t before) {
  Log* const from = log(partition);
  if (from == nullptr || before <= from->begin) return;
  counts.rows_deleted += static_cast<std::uint64_t>(before - from->begin);
  from->begin = std::min(before, from->next);
  from->records.erase(from->records.begin(),
                      from->records.begin() + static_cast<std::ptrdiff_t>(from->find(from->begin)));
}

void Broker::compact(Topic& topic) {
  ++counts.compactions;
  constexpr std::int64_t kActive = 3;  // records of the segment that is written to
  for (Log& log : topic.logs) {
    const std::int64_t end = std::min(log.stable(), log.next - kActive);
    std::map<std::string, std::int64_t> last;
    for (const LogRecord& record : log.records) {
      if (record.offset < end && log.visible(record, true)) last[record.key] = record.offset;
    }
    std::erase_if(log.records, [&](const LogRecord& record) {
      return record.offset < end &&
             !(log.visible(record, true) && last[record.key] == record.offset);
    });
  }
}

}  // namespace huiliu::simulation
