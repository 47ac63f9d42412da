#include "connectors/kafka/client/transaction.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/topic_settings.h"
#include "connectors/kafka/client/topics.h"
#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/machine.h"

namespace huiliu::connectors::kafka {

using runtime::Result;
using runtime::Status;

Result<std::unique_ptr<Transaction>> Transaction::open(const ProducerOptions& options) {
  std::unique_ptr<Transaction> made(new Transaction(options));
  Settings settings = {// make_room() bounds what is queued: a full queue could refuse a record and
                       // take the next one of the same key.
                       {"queue.buffering.max.messages", "10000000"},
                       {"queue.buffering.max.kbytes", "2097151"},
                       {"message.max.bytes", std::to_string(kClientMessageBytes)},
                       {"delivery.report.only.error", "false"}};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  std::string id = options.transactional_id;
  if (runtime::mutant("kafka.not_fenced")) id += std::to_string(runtime::random_number());
  settings.emplace_back("transactional.id", id);
  settings.emplace_back("transaction.timeout.ms", std::to_string(options.timeout_ms));
  settings.emplace_back(
      "delivery.timeout.ms",
      std::to_string(std::min<std::int64_t>(options.timeout_ms, 120'000)));  // at most as long
  settings = ClientStatistics::wanted(std::move(settings), options.connection);
  Transaction* self = made.get();
  auto client =
      make_client(RD_KAFKA_PRODUCER, options.connection, settings, [self](rd_kafka_conf_t* conf) {
        rd_kafka_conf_set_opaque(conf, self);
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_error_cb(conf, on_error);
        rd_kafka_conf_set_stats_cb(conf, on_statistics);
      });
  if (!client.is_ok()) return client.status();
  made->client_ = std::move(client.value());
  if (Status status = made->init(options.transactional_id); !status.is_ok()) return status;
  return made;
}

// In steps: a refused login is no error of the call, which would only time out.
Status Transaction::init(const std::string& transactional_id) {
  constexpr int kStepMs = 1000;
  for (int waited = 0;; waited += kStepMs) {
    const Error error = take(rd_kafka_init_transactions(client_.get(), kStepMs));
    if (!error) return Status::ok();
    rd_kafka_poll(client_.get(), 0);
    if (refused_) return as_status(refused_, "connecting");
    // Also while the brokers still end the transaction that was open.
    if (!error.retriable || waited >= kRequestMs) {
      return waited_for(error, "opening transactions of " + transactional_id);
    }
  }
}

void Transaction::on_error(rd_kafka_t*, int code, const char* text, void* self) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL) {
    static_cast<Transaction*>(self)->refused_ = {error, text, false, false};
  }
}

int Transaction::on_statistics(rd_kafka_t*, char* json, std::size_t size, void* self) {
  static_cast<Transaction*>(self)->statistics_.take({json, size});
  return 0;  // the client frees it
}

Transaction::~Transaction() {
  if (!client_) return;
  // What is still queued belongs to a transaction that will never commit. The client drops it now,
  // or when it is destroyed itself.
  (void)rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  (void)rd_kafka_flush(client_.get(), 0);
}

void Transaction::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto* transaction = static_cast<Transaction*>(self);
  transaction->unsent_bytes_ -= message->len + message->key_len;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // When one record fails, those that wait are purged: that says nothing of the reason.
    Error& known = transaction->delivery_error_;
    if (!known || known.code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        known.code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
      known = error_of(message->err);
      if (message->rkt != nullptr) {
        known.text = fmt::format("{}[{}]: {}", rd_kafka_topic_name(message->rkt),
                                 message->partition, known.text);
      }
    }
  } else if (message->_private != nullptr) {
    *static_cast<std::int64_t*>(message->_private) = message->offset;
  }
}

Status Transaction::begin() {
  return as_status(take(rd_kafka_begin_transaction(client_.get())), "beginning a transaction");
}

Result<rd_kafka_topic_t*> Transaction::topic(const std::string& name,
                                             const TopicSettings& settings) {
  Topic& topic = topics_[name];
  if (topic) return topic.get();
  // Asked for first: the leader lookup of the first message would take a second.
  auto count = partition_count(client_.get(), name);
  if (!count.is_ok()) return count.status();
  rd_kafka_topic_conf_t* conf = rd_kafka_topic_conf_new();
  char message[512];
  const std::pair<const char*, const char*> values[] = {
      {"partitioner", "murmur2_random"}, {"compression.type", settings.compression.c_str()}};
  for (const auto& [key, value] : values) {
    if (rd_kafka_topic_conf_set(conf, key, value, message, sizeof message) != RD_KAFKA_CONF_OK) {
      rd_kafka_topic_conf_destroy(conf);
      return Status::invalid(fmt::format("topic {}: {}", name, message));
    }
  }
  topic.reset(rd_kafka_topic_new(client_.get(), name.c_str(), conf));
  if (!topic) {
    return Status::invalid(
        fmt::format("topic {}: {}", name, rd_kafka_err2str(rd_kafka_last_error())));
  }
  return topic.get();
}

// Waits until the brokers have taken enough; also serves delivery reports, which hold memory.
void Transaction::make_room(std::size_t bytes) {
  constexpr std::uint64_t kMostBytes = 128u << 20, kPollBytes = 256u << 10;
  constexpr int kWaitMs = 10;
  const std::uint64_t before = unsent_bytes_;
  unsent_bytes_ += bytes;
  if (before / kPollBytes != unsent_bytes_ / kPollBytes) rd_kafka_poll(client_.get(), 0);
  std::int64_t since = runtime::system_clock().steady_ms();
  while (unsent_bytes_ > kMostBytes + bytes && !delivery_error_) {
    rd_kafka_poll(client_.get(), kWaitMs);
    if (runtime::system_clock().steady_ms() - since <= long_wait_ms()) continue;
    name_cause();
    since = runtime::system_clock().steady_ms();
  }
}

// A quarter of what librdkafka waits for delivery, so that the cause is said before it gives up:
// the brokers themselves notice after seconds that one of them is away (broker.session.timeout.ms).
std::int64_t Transaction::long_wait_ms() const {
  constexpr std::int64_t kMostMs = 5000;
  return std::min(kMostMs, timeout_ms_ / 4);
}

// If a topic has too few replicas in sync, librdkafka tries again silently and reports no more than
// that the time is up. So a broker is asked for the replicas of each topic, and what is missing is
// logged. The broker that is asked may go away meanwhile: then the next topic is asked for. The
// next wait asks for all again until something is found.
void Transaction::name_cause() {
  constexpr int kAskMs = 1000;
  constexpr std::int64_t kMostMs = 6000;
  if (cause_named_) return;
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) names.push_back(name);
  // What a transaction is kept in is topics, too; the user may not see them.
  names.insert(names.end(), {"__transaction_state", "__consumer_offsets"});
  const std::int64_t since = runtime::system_clock().steady_ms();
  for (const std::string& name : names) {
    if (runtime::system_clock().steady_ms() - since > kMostMs) return;
    auto settings = topic_settings(client_.get(), name, kAskMs);
    if (settings.status().code() == runtime::StatusCode::kNotFound) continue;
    if (!settings.is_ok()) {
      spdlog::info("waiting for the brokers: {}", settings.status().message());
      continue;
    }
    const auto missing = missing_replicas(client_.get(), name, *settings, kAskMs);
    if (!missing.is_ok() || missing.value().empty()) continue;
    spdlog::warn("{}", missing.value());
    cause_named_ = true;
  }
}

// The reason may be in a report that is not served yet.
Status Transaction::undelivered() {
  while (rd_kafka_poll(client_.get(), 0) > 0) {
  }
  return as_status(delivery_error_, "sending records");
}

Status Transaction::produce_all(rd_kafka_topic_t* topic, int partition,
                                std::vector<rd_kafka_message_t>& records, std::int64_t* offset) {
  if (records.empty()) return Status::ok();
  if (delivery_error_) return undelivered();
  std::size_t bytes = 0;
  for (const rd_kafka_message_t& record : records) bytes += record.len + record.key_len;
  records.back()._private = offset;
  make_room(bytes);
  const auto count = static_cast<int>(records.size());
  const int taken =
      rd_kafka_produce_batch(topic, partition, RD_KAFKA_MSG_F_COPY, records.data(), count);
  if (taken == count) return Status::ok();
  for (const rd_kafka_message_t& record : records) {
    if (record.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return as_status(error_of(record.err), "producing");
  }
  return Status::restart("producing: a part was not taken");
}

Status Transaction::produce(rd_kafka_topic_t* topic, const Outgoing& record) {
  constexpr int kWaitMs = 10;
  if (delivery_error_) return undelivered();
  make_room(record.key.size() + record.value.size());
  for (;;) {
    rd_kafka_vu_t fields[8] = {};
    std::size_t count = 0;
    const auto next = [&](rd_kafka_vtype_t type) -> auto& {
      fields[count].vtype = type;
      return fields[count++].u;
    };
    next(RD_KAFKA_VTYPE_RKT).rkt = topic;
    next(RD_KAFKA_VTYPE_PARTITION).i32 = record.partition;
    next(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY;
    next(RD_KAFKA_VTYPE_KEY).mem = {const_cast<char*>(record.key.data()), record.key.size()};
    next(RD_KAFKA_VTYPE_VALUE).mem = {const_cast<char*>(record.value.data()), record.value.size()};
    next(RD_KAFKA_VTYPE_OPAQUE).ptr = record.offset;
    if (record.timestamp_ms > 0) next(RD_KAFKA_VTYPE_TIMESTAMP).i64 = record.timestamp_ms;
    rd_kafka_headers_t* list = nullptr;
    if (!record.headers.empty()) {
      list = rd_kafka_headers_new(record.headers.size());
      for (const Header& header : record.headers) {
        const rd_kafka_resp_err_t added =
            rd_kafka_header_add(list, header.name.data(), static_cast<ssize_t>(header.name.size()),
                                header.value.data(), static_cast<ssize_t>(header.value.size()));
        HUILIU_CHECK(added == RD_KAFKA_RESP_ERR_NO_ERROR);  // only of lists that cannot be changed
      }
      next(RD_KAFKA_VTYPE_HEADERS).headers = list;
    }
    const Error error = take(rd_kafka_produceva(client_.get(), fields, count));
    if (!error) return Status::ok();
    if (list != nullptr) rd_kafka_headers_destroy(list);
    if (error.code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return as_status(error, "producing");
    rd_kafka_poll(client_.get(), kWaitMs);
  }
}

Error Transaction::flush_for(std::int64_t milliseconds) {
  return error_of(rd_kafka_flush(client_.get(), static_cast<int>(milliseconds)));
}

Status Transaction::flush() {
  const std::int64_t until = runtime::system_clock().steady_ms() + timeout_ms_;
  for (;;) {
    const std::int64_t left = until - runtime::system_clock().steady_ms();
    const Error error = flush_for(std::clamp<std::int64_t>(left, 0, long_wait_ms()));
    if (!error) return undelivered();
    if (error.code != RD_KAFKA_RESP_ERR__TIMED_OUT || left <= 0) {
      return as_status(error, "sending records");
    }
    name_cause();
  }
}

Status Transaction::waited_for(const Error& error, const std::string& what) {
  if (error.code == RD_KAFKA_RESP_ERR__TIMED_OUT) name_cause();
  return as_status(error, what);
}

Status Transaction::send_offsets(const rd_kafka_topic_partition_list_t* offsets,
                                 const rd_kafka_consumer_group_metadata_t* group) {
  return waited_for(take(rd_kafka_send_offsets_to_transaction(client_.get(), offsets, group,
                                                              static_cast<int>(timeout_ms_))),
                    "sending offsets");
}

// The outcome of a commit that ran out of time is unknown: only the brokers can tell.
Status Transaction::commit() {
  return waited_for(take(rd_kafka_commit_transaction(client_.get(), static_cast<int>(timeout_ms_))),
                    "committing");
}

Status Transaction::abort() {
  return as_status(take(rd_kafka_abort_transaction(client_.get(), static_cast<int>(timeout_ms_))),
                   "aborting");
}

}  // namespace huiliu::connectors::kafka
