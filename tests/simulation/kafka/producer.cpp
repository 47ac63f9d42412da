// The producing part of a simulated client.
#include <algorithm>

#include "tests/simulation/kafka/client.h"

namespace huiliu::simulation {
namespace {

constexpr Micros kLinger = 5000;

bool is_fenced(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
         error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED;
}

}  // namespace

rd_kafka_resp_err_t ProducerPart::init(Micros timeout) {
  const auto made = std::make_shared<Broker::ProducerId>();
  Broker& broker = client_.broker();
  const auto error = client_.request(
      [&broker, made, id = transactional_id_, timeout = transaction_timeout_] {
        return broker.init_producer(id, timeout, *made);
      },
      timeout);
  if (!error) id_ = *made;
  return error;
}

rd_kafka_resp_err_t ProducerPart::begin() {
  if (fatal_) return failed_;
  if (in_transaction_) return RD_KAFKA_RESP_ERR__STATE;
  in_transaction_ = true;
  used_ = false;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void ProducerPart::fail(rd_kafka_resp_err_t error) {
  if (failed_) return;
  failed_ = is_fenced(error) ? RD_KAFKA_RESP_ERR__FENCED : error;
  fatal_ = is_fenced(error) || error == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE ||
           error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING;
}

rd_kafka_resp_err_t ProducerPart::produce(const PartitionId& partition, Outgoing record) {
  if (!transactional_id_.empty()) {
    if (failed_) return fatal_ ? RD_KAFKA_RESP_ERR__FATAL : failed_;
    if (!in_transaction_) return RD_KAFKA_RESP_ERR__STATE;
    used_ = true;
  }
  lanes_[partition].waiting.push_back(std::move(record));
  plan(partition, kLinger);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void ProducerPart::plan(const PartitionId& partition, Micros delay) {
  Lane& lane = lanes_[partition];
  if (lane.planned || lane.sent || lane.waiting.empty()) return;
  lane.planned = true;
  client_.later(delay, [partition](Client& client) {
    client.producer->lanes_[partition].planned = false;
    client.producer->send(partition);
  });
}

void ProducerPart::send(const PartitionId& partition) {
  Lane& lane = lanes_[partition];
  if (lane.sent || lane.waiting.empty()) return;
  lane.sent = std::make_shared<Batch>();
  lane.sent->records = std::move(lane.waiting);
  lane.waiting.clear();
  lane.sent->deadline = client_.scheduler().now() + delivery_timeout_;
  attempt(partition, lane.sent);
}

void ProducerPart::attempt(const PartitionId& partition, const BatchPtr& batch) {
  if (batch->done) return;
  if (failed_) return finish(partition, batch, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
  Scheduler& scheduler = client_.scheduler();
  if (scheduler.now() >= batch->deadline) {
    return finish(partition, batch, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
  }
  const Journey journey = Journey::draw(client_.in_cluster());
  Broker& broker = client_.broker();
  const std::weak_ptr<Client> weak = client_.weak_from_this();
  const auto again = [weak, partition, batch](Micros delay) {
    if (const ClientPtr self = weak.lock()) {
      self->later(delay, [partition, batch](Client& c) { c.producer->attempt(partition, batch); });
    }
  };
  if (!journey.answered) again(journey.there + scheduler.between(500, 50'000));
  if (!journey.arrives) return;
  const auto at_broker = [&broker, &scheduler, journey, weak, partition, batch, again,
                          tid = transactional_id_, id = id_] {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!batch->appended) {  // an idempotent producer's batch is taken once
      if (!tid.empty()) {
        error = broker.coordinators_away() ? RD_KAFKA_RESP_ERR_NOT_COORDINATOR
                                           : broker.add_partition(tid, id, partition);
      }
      std::vector<LogRecord> records;
      for (const Outgoing& one : batch->records) records.push_back(one.record);
      if (tid.empty() && weak.expired()) ++broker.counts.late_owners;
      if (!error) error = broker.produce(tid, id, partition, std::move(records), batch->base);
      batch->appended = !error;
    }
    if (!journey.answered) return;
    const ClientPtr self = weak.lock();
    if (!self) return;
    self->later(journey.back, [partition, batch, error, again, &scheduler](Client& client) {
      if (is_retried(error)) return again(scheduler.between(1000, 20'000));
      client.producer->finish(partition, batch, error);
    });
  };
  scheduler.at(scheduler.now() + journey.there, nullptr, at_broker);
  // What is slow to arrive is not waited for longer than records may take.
  client_.later(batch->deadline - scheduler.now(), [partition, batch](Client& client) {
    client.producer->finish(partition, batch, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
  });
}

void ProducerPart::finish(const PartitionId& partition, const BatchPtr& batch,
                          rd_kafka_resp_err_t error) {
  if (batch->done) return;
  batch->done = true;
  if (error && !transactional_id_.empty()) fail(error);
  report(batch->records, error, batch->base);
  Lane& lane = lanes_[partition];
  if (lane.sent == batch) lane.sent = nullptr;
  if (failed_) {
    for (auto& [id, other] : lanes_) {
      report(std::exchange(other.waiting, {}), RD_KAFKA_RESP_ERR__PURGE_QUEUE, -1);
    }
  }
  plan(partition, 0);
  client_.scheduler().notify(this);
}

void ProducerPart::report(const std::vector<Outgoing>& records, rd_kafka_resp_err_t error,
                          std::int64_t base) {
  for (const Outgoing& one : records) {
    reports_.push_back(
        {one.opaque, error, error ? -1 : base++, one.record.key.size(), one.record.value.size()});
  }
}

int ProducerPart::serve() {
  int served = 0;
  while (!reports_.empty()) {
    const Report report = reports_.front();
    reports_.pop_front();
    ++served;
    if (client_.callbacks.delivery == nullptr) continue;
    rd_kafka_message_t message{};
    message.err = report.error;
    message.offset = report.offset;
    message._private = report.opaque;
    message.key_len = report.key_size;
    message.len = report.value_size;
    client_.callbacks.delivery(client_.handle, &message, client_.callbacks.opaque);
  }
  return served;
}

bool ProducerPart::idle() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return lane.second.waiting.empty() && !lane.second.sent;
  });
}

rd_kafka_resp_err_t ProducerPart::flush(Micros timeout) {
  Scheduler& scheduler = client_.scheduler();
  const Micros deadline = scheduler.now() + timeout;
  for (auto& [partition, lane] : lanes_) send(partition);
  serve();
  while (!idle() && scheduler.now() < deadline) {
    scheduler.wait_until(this, deadline);
    for (auto& [partition, lane] : lanes_) send(partition);
    serve();
  }
  return idle() ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

void ProducerPart::purge() {
  for (auto& [partition, lane] : lanes_) {
    report(std::exchange(lane.waiting, {}), RD_KAFKA_RESP_ERR__PURGE_QUEUE, -1);
    if (!lane.sent) continue;
    lane.sent->done = true;
    report(lane.sent->records, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, -1);
    lane.sent = nullptr;
  }
}

rd_kafka_resp_err_t ProducerPart::send_offsets(const MemberId& member, std::vector<Offset> offsets,
                                               Micros timeout) {
  if (failed_) return failed_;
  if (!in_transaction_) return RD_KAFKA_RESP_ERR__STATE;
  used_ = true;
  Broker& broker = client_.broker();
  const auto error = client_.request(
      [&broker, tid = transactional_id_, id = id_, member, offsets = std::move(offsets)] {
        return broker.send_offsets(tid, id, member, offsets);
      },
      timeout);
  if (error) fail(error);
  return error;
}

rd_kafka_resp_err_t ProducerPart::end(bool commit, Micros timeout) {
  if (fatal_) return failed_;
  if (commit && failed_) return failed_;
  if (!in_transaction_ && !failed_) return RD_KAFKA_RESP_ERR__STATE;
  if (!commit) purge();
  const Micros started = client_.scheduler().now();
  if (const auto error = flush(timeout)) return error;
  if (commit && failed_) return failed_;
  if (!used_) {
    in_transaction_ = false;
    failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  Broker& broker = client_.broker();
  const auto error = client_.request(
      [&broker, tid = transactional_id_, id = id_, commit] { return broker.end(tid, id, commit); },
      timeout - (client_.scheduler().now() - started));
  if (error) {
    fail(error);
    return error;
  }
  in_transaction_ = false;
  failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace huiliu::simulation
