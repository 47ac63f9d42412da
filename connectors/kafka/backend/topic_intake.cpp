#include "connectors/kafka/backend/topic_intake.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/backend/state_topics.h"
#include "connectors/kafka/client/topics.h"
#include "runtime/base/failpoint.h"
#include "runtime/record/key.h"

namespace huiliu::connectors::kafka {

using runtime::IntakeEntry;
using runtime::IntakeReceipt;
using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {

/// By which two bodies of one key are told apart; large ones are not hashed for nothing.
std::uint64_t hash_of(const IntakeEntry& entry) {
  return entry.key.empty() ? 0 : runtime::KeyBuilder::hash_bytes(entry.body);
}

constexpr int kStepMs = 100;
constexpr int kTrimEverySteps = 100;
constexpr int kSeenMs = 1000;
/// How long brokers may be away before who sends is told so.
constexpr const char* kMessageTimeoutMs = "8000";

}  // namespace

TopicIntake::TopicIntake(Place place, const runtime::IntakeOptions& options)
    : place_(std::move(place)), options_(options), clock_(runtime::system_clock()) {}

Result<std::unique_ptr<TopicIntake>> TopicIntake::open(Place place,
                                                       const runtime::IntakeOptions& options,
                                                       const std::function<bool()>& interrupted) {
  std::unique_ptr<TopicIntake> intake(new TopicIntake(std::move(place), options));
  HUILIU_RETURN_IF_ERROR(intake->start(interrupted));
  return intake;
}

Status TopicIntake::start(const std::function<bool()>& interrupted) {
  HUILIU_ASSIGN_OR_RETURN(tail_, PartitionLog::open(place_.connection, place_.group, place_.topic));
  HUILIU_ASSIGN_OR_RETURN(reader_,
                          PartitionLog::open(place_.connection, place_.group, place_.topic));
  auto range = offset_range(tail_->client(), place_.topic, 0);
  if (!range.is_ok()) return range.status();
  trimmed_ = static_cast<std::uint64_t>(range->begin);
  entries_.begins_behind(trimmed_);
  HUILIU_RETURN_IF_ERROR(tail_->seek(range->begin));
  // Keys of what is there must be known before anybody is answered.
  while (tail_->next() < range->end) {
    if (interrupted && interrupted()) return Status::restart("the topology ends");
    HUILIU_RETURN_IF_ERROR(tail_->read(
        kStepMs, [this](auto offset, auto key, auto value) { learn(offset, key, value); }));
    HUILIU_RETURN_IF_ERROR(broken_);
  }
  HUILIU_RETURN_IF_ERROR(make_producer());
  tail_thread_ = std::thread([this] { follow(); });
  report_thread_ = std::thread([this] { serve(); });
  return Status::ok();
}

Status TopicIntake::make_producer() {
  auto producer =
      make_client(RD_KAFKA_PRODUCER, place_.connection,
                  {{"acks", mutant("kafka_intake.one_ack") ? "0" : "all"},
                   {"enable.idempotence", mutant("kafka_intake.one_ack") ? "false" : "true"},
                   {"linger.ms", "2"},
                   {"message.timeout.ms", kMessageTimeoutMs},
                   {"message.max.bytes", kMostIntakeMessage},
                   {"queue.buffering.max.kbytes", "1048576"}},
                  [](rd_kafka_conf_t* conf) { rd_kafka_conf_set_dr_msg_cb(conf, on_report); });
  if (!producer.is_ok()) return producer.status();
  producer_ = std::move(producer.value());
  return Status::ok();
}

TopicIntake::~TopicIntake() {
  stop_ = true;
  {
    const std::lock_guard lock(mutex_);
    durable_.notify_all();
  }
  if (tail_thread_.joinable()) tail_thread_.join();
  if (report_thread_.joinable()) report_thread_.join();
  if (!producer_) return;
  constexpr int kGraceMs = 2000;
  (void)rd_kafka_flush(producer_.get(), kGraceMs);  // reports tell
  // What is left may be in the topic or not: who waits for it hears that it is not known.
  (void)rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  (void)rd_kafka_flush(producer_.get(), kGraceMs);
  producer_.reset();
}

void TopicIntake::learn(std::int64_t offset, std::string_view key, std::string_view value) {
  const auto entry = intake_entry(offset, key, value);
  const std::uint64_t body_hash = entry ? hash_of(*entry) : 0;
  const std::lock_guard lock(mutex_);
  if (!entry) {
    broken_ = Status::corrupt(
        fmt::format("{}[0] offset {}: the message is none that Huiliu wrote, or of a later version",
                    place_.topic, offset));
    return;
  }
  const std::uint64_t conflicting = entries_.conflicting();
  entries_.add(*entry, body_hash);
  const auto waiting = under_way_.find(entry->key);
  if (waiting != under_way_.end() && waiting->second->receipt) under_way_.erase(waiting);
  if (entries_.conflicting() > conflicting) {
    spdlog::error("{}[0] offset {}: its key was used for another body, so it is left out",
                  place_.topic, offset);
  }
  durable_.notify_all();
}

void TopicIntake::follow() {
  for (int step = 0; !stop_; ++step) {
    const Status status = tail_->read(
        kStepMs, [this](auto offset, auto key, auto value) { learn(offset, key, value); });
    if (!status.is_ok()) {
      const std::lock_guard lock(mutex_);
      if (broken_.is_ok()) spdlog::error("{}", status.message());
      broken_ = status;
      durable_.notify_all();
      if (status.code() == runtime::StatusCode::kCorrupt) return;
    }
    if (step % kTrimEverySteps == 0) trim();
  }
}

void TopicIntake::trim() {
  const std::int64_t keep = std::max(options_.keep_ms, options_.keys_ms);
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = entries_.trimmable(clock_.now_ms() - keep);
    if (number <= trimmed_) return;
  }
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), place_.topic.c_str(), 0)->offset =
      static_cast<std::int64_t>(number);
  const Status status = delete_records(tail_->client(), list.get());
  if (!status.is_ok()) {
    spdlog::warn("{}: {}; tried again later", place_.topic, status.message());
    return;
  }
  const std::lock_guard lock(mutex_);
  trimmed_ = number;
  entries_.trim(number);
}

void TopicIntake::append(IntakeEntry entry, Done done) {
  const std::uint64_t body_hash = hash_of(entry);
  std::optional<IntakeReceipt> known;
  std::shared_ptr<Waiting> added;
  {
    const std::lock_guard lock(mutex_);
    known = take_in(entry, body_hash, done, added);
  }
  if (known) return done(*known);
  if (added) produce(added);
}

std::optional<IntakeReceipt> TopicIntake::take_in(IntakeEntry& entry, std::uint64_t body_hash,
                                                  Done& done, std::shared_ptr<Waiting>& added) {
  const IntakeReceipt other{Status::invalid("the key was used for another body")};
  const auto waiting = entry.key.empty() ? under_way_.end() : under_way_.find(entry.key);
  if (waiting != under_way_.end()) {
    Waiting& same = *waiting->second;
    if (same.body_hash != body_hash) return other;
    if (!same.receipt) {
      same.done.push_back(std::move(done));
      return std::nullopt;
    }
    IntakeReceipt again = *same.receipt;
    again.repeated = true;
    return again;
  }
  if (const IntakeEntries::Known* known = entries_.find(entry.key)) {
    if (known->body_hash != body_hash) return other;
    return IntakeReceipt{Status::ok(), known->number, known->arrived_ms, known->records, true};
  }
  if (stop_) return IntakeReceipt{Status::unavailable("the intake is being closed")};
  if (!broken_.is_ok()) return IntakeReceipt{Status::unavailable(broken_.message())};
  const std::uint64_t bytes = entry.body.size() + entry.about.size();
  if (entries_.waiting_bytes() + sent_bytes_ + bytes > options_.most_bytes) {
    return IntakeReceipt{.status = Status::unavailable("what was sent before waits to be read"),
                         .full = true};
  }
  sent_bytes_ += bytes;
  entry.arrived_ms = clock_.now_ms();
  added = std::make_shared<Waiting>();
  added->intake = this;
  added->body_hash = body_hash;
  added->bytes = bytes;
  added->done.push_back(std::move(done));
  added->entry = std::move(entry);
  if (!added->entry.key.empty()) under_way_[added->entry.key] = added;
  return std::nullopt;
}

void TopicIntake::produce(const std::shared_ptr<Waiting>& waiting) {
  const IntakeEntry& entry = waiting->entry;
  runtime::failpoint("kafka_intake.before_produce");
  const std::string value = intake_value(entry);
  auto opaque = std::make_unique<std::shared_ptr<Waiting>>(waiting);
  const rd_kafka_resp_err_t code = rd_kafka_producev(
      producer_.get(), RD_KAFKA_V_TOPIC(place_.topic.c_str()), RD_KAFKA_V_PARTITION(0),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(entry.key.empty() ? nullptr : entry.key.data(), entry.key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
      RD_KAFKA_V_OPAQUE(opaque.get()), RD_KAFKA_V_END);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    (void)opaque.release();  // the report has it
    return;
  }
  report(waiting, code, -1);
}

void TopicIntake::on_report(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  const std::unique_ptr<std::shared_ptr<Waiting>> waiting(
      static_cast<std::shared_ptr<Waiting>*>(message->_private));
  (*waiting)->intake->report(*waiting, message->err, message->offset);
}

// An entry whose report is lost may be in the topic: it is found there, and its key with it.
void TopicIntake::report(const std::shared_ptr<Waiting>& waiting, rd_kafka_resp_err_t error,
                         std::int64_t offset) {
  IntakeEntry& entry = waiting->entry;
  IntakeReceipt receipt;
  runtime::failpoint("kafka_intake.after_report");
  {
    const std::lock_guard lock(mutex_);
    sent_bytes_ -= waiting->bytes;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || offset < 0) {
      ++failures_;
      receipt.status =
          Status::unavailable(fmt::format("{}: {}", place_.topic, rd_kafka_err2str(error)));
    } else {
      entry.number = static_cast<std::uint64_t>(offset) + 1;
      acknowledged_ = std::max(acknowledged_, entry.number);
      const IntakeEntries::Known* first = entries_.find(entry.key);
      const bool repeated = first != nullptr && first->number < entry.number;
      receipt = {Status::ok(), repeated ? first->number : entry.number,
                 repeated ? first->arrived_ms : entry.arrived_ms, entry.records, repeated};
    }
    // Who repeats it is told the same until the tail knows it.
    const bool known = entries_.end() >= entry.number;
    if (receipt.status.is_ok() && !known) waiting->receipt = receipt;
    if (!entry.key.empty() && !waiting->receipt) under_way_.erase(entry.key);
  }
  for (const Done& done : waiting->done) {
    done(receipt);
    receipt.repeated = true;
  }
}

void TopicIntake::serve() {
  while (!stop_) {
    (void)rd_kafka_poll(producer_.get(), kStepMs);
    char reason[512];
    const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer_.get(), reason, sizeof reason);
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    // A client that has lost its place takes nothing more; a start makes another.
    const std::lock_guard lock(mutex_);
    if (broken_.is_ok()) spdlog::error("{}: {}", place_.topic, reason);
    broken_ = Status::restart(fmt::format("{}: {}", place_.topic, reason));
  }
}

Status TopicIntake::read(std::uint64_t after, std::size_t most_bytes,
                         std::vector<IntakeEntry>& entries) {
  const std::lock_guard read_lock(read_mutex_);
  {
    const std::lock_guard lock(mutex_);
    HUILIU_RETURN_IF_ERROR(broken_);
    if (after > entries_.last()) {
      return Status::corrupt(fmt::format(
          "{}: entries up to number {} were read before, and the last one there is number {}: "
          "records were deleted, or the topic was recreated",
          place_.topic, after, entries_.last()));
    }
    if (after == entries_.last()) return Status::ok();
  }
  HUILIU_RETURN_IF_ERROR(reader_->seek(static_cast<std::int64_t>(after)));
  std::size_t bytes = 0;
  bool more = true;  // of what the tail has seen, and until there is enough
  const auto visit = [&](std::int64_t offset, std::string_view key, std::string_view value) {
    auto entry = intake_entry(offset, key, value);
    const std::lock_guard lock(mutex_);
    // What the tail has not seen is judged when it has.
    if (!entry || entry->number > entries_.end() || bytes >= most_bytes) more = false;
    if (!more || entries_.repeats(*entry)) return;
    bytes += entry->body.size() + 1;
    entries.push_back(std::move(*entry));
  };
  // The next read goes on behind what was given, wherever the client is.
  constexpr int kMostSteps = 10;
  for (int step = 0; step < kMostSteps && more && entries.empty(); ++step) {
    HUILIU_RETURN_IF_ERROR(reader_->read(kStepMs, visit));
  }
  return Status::ok();
}

Result<IntakeEntry> TopicIntake::at(std::uint64_t number) {
  std::vector<IntakeEntry> entries;
  {
    std::unique_lock lock(mutex_);
    // What was acknowledged is there, and the tail is about to see it.
    if (number > entries_.end() && number <= acknowledged_ && !stop_) {
      durable_.wait_for(lock, kSeenMs);
    }
    if (number == 0 || number <= trimmed_ || number > entries_.end()) return Status::not_found("");
  }
  HUILIU_RETURN_IF_ERROR(read(number - 1, 1, entries));
  if (entries.empty() || entries.front().number != number) return Status::not_found("");
  return std::move(entries.front());
}

bool TopicIntake::wait(std::uint64_t after, std::int64_t most_ms) {
  std::unique_lock lock(mutex_);
  if (entries_.last() <= after && !stop_ && broken_.is_ok()) durable_.wait_for(lock, most_ms);
  return entries_.last() > after || !broken_.is_ok();
}

void TopicIntake::consumed(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  entries_.consume(number);
}

std::uint64_t TopicIntake::last() const {
  const std::lock_guard lock(mutex_);
  return std::max(entries_.last(), acknowledged_);
}

std::vector<runtime::Figure> TopicIntake::figures() const {
  const std::lock_guard lock(mutex_);
  const auto one = [](const char* name, const char* help, double value, bool counter) {
    return runtime::Figure{name, help, {}, value, counter};
  };
  return {one("intake_waiting_bytes", "Of entries that are not committed yet: by them it is full.",
              static_cast<double>(entries_.waiting_bytes()), false),
          one("intake_waiting_entries", "Entries that are durable and not committed.",
              static_cast<double>(entries_.waiting()), false),
          one("intake_keys", "Keys of requests that are known.",
              static_cast<double>(entries_.keys()), false),
          one("intake_repeated_total", "Entries whose key came before, which are left out.",
              static_cast<double>(entries_.repeated() + entries_.conflicting()), true),
          one("intake_failures_total", "Entries that the brokers did not take.",
              static_cast<double>(failures_), true)};
}

}  // namespace huiliu::connectors::kafka
