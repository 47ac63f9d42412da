#include "connectors/kafka/source/kafka_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <spdlog/spdlog.h>

#include "connectors/kafka/source/partition_set.h"
#include "connectors/kafka/source/shared_consumer.h"
#include "connectors/kafka/source/slice_filler.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using runtime::Status;
using runtime::StatusCode;

class KafkaReader final : public runtime::SourceReader {
 public:
  explicit KafkaReader(ReaderOptions options) : options_(std::move(options)) {}
  ~KafkaReader() override {
    filler_.clear();
    seat_.reset();
  }

  Status open(const runtime::SourceContext& context) override;
  ReadResult read(Slice& slice) override;
  void hold(runtime::SplitId split, bool held) override;
  bool may_wait(std::int64_t most_ms) override {
    most_wait_ms_ = static_cast<int>(most_ms);
    return true;
  }
  // A partition of which nothing has been fetched yet says nothing of what it has.
  bool has_caught_up() const override {
    return filler_.is_empty() && !filler_.has_parked() && partitions_.all_reached_end();
  }
  bool has_splits() const override { return !options_.own; }
  std::string_view away() const override { return away_; }
  Status failure() const override { return failure_; }
  std::pair<std::uint64_t, std::uint64_t> progress() const override { return {0, 0}; }

 private:
  Status take_seat();
  Settings client_settings() const;
  std::string client_group() const;
  std::int64_t now() const { return context_.clock->steady_ms(); }
  ReadResult failed(Status status) {
    failure_ = std::move(status);
    return ReadResult::kFailed;
  }
  void say_backlog(Slice& slice);
  Status discover_later();
  Status fetch();
  Status take_in(Message message);
  Status reaction(const Error& error);

  ReaderOptions options_;
  runtime::SourceContext context_;
  std::unique_ptr<ConsumerSeat> seat_;
  PartitionSet partitions_{options_, context_};
  SliceFiller filler_{options_, context_, partitions_};
  std::vector<rd_kafka_message_t*> batch_;
  std::int64_t discovered_ms_ = 0;
  int most_wait_ms_ = 1;
  std::string away_;  // why the brokers cannot be read from
  Status failure_ = Status::ok();
};

Status KafkaReader::open(const runtime::SourceContext& context) {
  context_ = context;
  if (Status status = partitions_.load_positions(); !status.is_ok()) return status;
  if (Status status = take_seat(); !status.is_ok()) return status;
  discovered_ms_ = context.clock->steady_ms();
  return partitions_.discover(*seat_, true);
}

// An open that is tried again has a seat, and partitions that are assigned there.
Status KafkaReader::take_seat() {
  if (seat_) return Status::ok();
  const auto pool = context_.parts != nullptr ? context_.parts->get<ConsumerPool>()
                                              : std::make_shared<ConsumerPool>();
  auto seat = pool->join(options_.connection, client_settings(), partitions_.topics());
  if (!seat.is_ok()) return seat.status();
  seat_ = std::move(seat.value());
  return Status::ok();
}

// Sources for which all of these are equal share a client. The limits of what is fetched ahead hold
// for each source's queue, not for the client.
Settings KafkaReader::client_settings() const {
  const std::uint64_t prefetch_kib = std::max<std::uint64_t>(1024, options_.prefetch_bytes >> 10);
  return {{"group.id", client_group()},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"isolation.level", "read_committed"},
          {"enable.partition.eof", "true"},
          // Bytes bound what is fetched ahead, not the number of messages: librdkafka before 2.2
          // pauses fetching for a second at either limit.
          {"queued.min.messages", "10000000"},
          {"queued.max.messages.kbytes", std::to_string(prefetch_kib)},
          {"fetch.wait.max.ms", "100"},
          {"fetch.error.backoff.ms", "20"},
          {"topic.metadata.refresh.interval.ms", "10000"}};
}

// The client names the group and does not join it: brokers may give users rights on groups.
std::string KafkaReader::client_group() const {
  if (!options_.group.empty()) return options_.group;
  return options_.backend_group.empty() ? context_.topology_id : options_.backend_group;
}

ReadResult KafkaReader::read(Slice& slice) {
  if (Status status = discover_later(); !status.is_ok()) return failed(std::move(status));
  if (filler_.is_empty()) {
    partitions_.end_splits();
    if (Status status = fetch(); !status.is_ok()) return failed(std::move(status));
  }
  if (!filler_.is_empty()) {
    const ReadResult result = filler_.fill(slice);
    say_backlog(slice);
    return result;
  }
  if (partitions_.has_unsaid()) return filler_.pin(slice);
  return options_.until_end && !filler_.has_parked() && partitions_.all_done() ? ReadResult::kEnd
                                                                               : ReadResult::kIdle;
}

// As of the last answer of the brokers, which the client keeps.
void KafkaReader::say_backlog(Slice& slice) {
  if (slice.split == runtime::kNoSplit) return;
  const Partition* const partition = partitions_.find(slice.split);
  if (partition == nullptr) return;
  const std::int64_t end = seat_->known_end(partition->topic, partition->number);
  if (end < partition->next) return;
  slice.backlog = runtime::Backlog{static_cast<std::uint64_t>(end - partition->next), true};
}

// What was fetched of the partition waits; no more of it is fetched meanwhile.
void KafkaReader::hold(runtime::SplitId split, bool held) {
  Partition* const partition = partitions_.find(split);
  if (partition == nullptr || partition->held == held) return;
  partition->held = held;
  partitions_.pause(*seat_, *partition);
  held ? filler_.park(*partition) : filler_.unpark(*partition);
}

// What is read already goes on while the brokers do not answer.
Status KafkaReader::discover_later() {
  if (options_.until_end || now() - discovered_ms_ < options_.discover_ms) return Status::ok();
  discovered_ms_ = now();
  Status status = partitions_.discover(*seat_, false);
  away_.clear();
  if (status.code() != StatusCode::kRestart) return status;
  away_ = status.message();
  spdlog::warn("{}: {}; trying again later", context_.node_name, status.message());
  return Status::ok();
}

Status KafkaReader::fetch() {
  constexpr std::size_t kBatch = 4096;
  batch_.resize(kBatch);
  Status status = Status::ok();
  for (const Error& error : seat_->take_errors(now())) {
    if (status.is_ok()) status = reaction(error);
  }
  if (!status.is_ok()) return status;
  const std::size_t count = seat_->take(batch_, most_wait_ms_);
  std::vector<Partition*> recreated;
  for (std::size_t i = 0; i < count; ++i) {
    Message message(batch_[i]);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && !partitions_.is_expected(*message)) {
      recreated.push_back(partitions_.find(*message));
    }
    if (status.is_ok()) status = take_in(std::move(message));
  }
  for (Partition* partition : recreated) {
    if (!status.is_ok()) break;
    status = partitions_.start_over(*seat_, *partition);
    filler_.drop(*partition);
  }
  return status;
}

Status KafkaReader::take_in(Message message) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) away_.clear();
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    filler_.add(std::move(message));
    return Status::ok();
  }
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    Partition* const partition = partitions_.find(*message);
    if (partition == nullptr) return Status::ok();
    partition->reached_end = true;
    // Between the last message and the end there may be nothing but marks of transactions.
    if (partition->end >= 0 && message->offset >= partition->end) partition->done = true;
    // The notice waits behind the messages that were fetched before it.
    filler_.add(std::move(message));
    return Status::ok();
  }
  // What the brokers have may not be what was being read: a new start looks what there is.
  Error error = error_of(message->err);
  error.text = rd_kafka_message_errstr(message.get());
  return reaction(error);
}

// Of an idle topic nothing else says that the brokers went away.
Status KafkaReader::reaction(const Error& error) {
  if (error.code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) away_ = error.text;
  return unless_passing(error, "source '" + context_.node_name + "'");
}

}  // namespace

std::unique_ptr<runtime::SourceReader> make_kafka_reader(ReaderOptions options) {
  return std::make_unique<KafkaReader>(std::move(options));
}

}  // namespace huiliu::connectors::kafka
