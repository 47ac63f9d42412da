// kafka_loop: the yardstick for engines on Kafka. Copies a topic exactly once and does nothing
// else: one consumer, one transactional producer, offsets in the transaction, one thread of its
// own.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/kafka/client.h"

namespace huiliu::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kRequestMs = 60'000;

volatile std::sig_atomic_t stop_wanted = 0;

struct Options {
  std::string bootstrap, from = "lines", to = "copied";
  int epoch_ms = 1000;
  int prefetch_mib = 256;
  bool forever = false;
};

struct Partition {
  std::int64_t next = 0;  // offset to read next
  std::int64_t end = 0;   // what was there at the start
};

/// Messages of the consumer. A batch waits for its first message only: rd_kafka_consume_batch_queue
/// itself waits until the batch is full.
class Batch {
 public:
  explicit Batch(rd_kafka_queue_t* queue) : queue_(queue), messages_(kCapacity) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() { clear(); }

  void fetch(int wait_ms) {
    clear();
    take(wait_ms, 1);
    if (size_ == 1) take(0, kCapacity - 1);
  }
  std::size_t size() const { return size_; }
  const rd_kafka_message_t& operator[](std::size_t i) const { return *messages_[i]; }

 private:
  static constexpr std::size_t kCapacity = 2048;

  void take(int wait_ms, std::size_t most) {
    const ssize_t taken =
        rd_kafka_consume_batch_queue(queue_, wait_ms, messages_.data() + size_, most);
    if (taken > 0) size_ += static_cast<std::size_t>(taken);
  }
  void clear() {
    for (std::size_t i = 0; i < size_; ++i) rd_kafka_message_destroy(messages_[i]);
    size_ = 0;
  }

  rd_kafka_queue_t* queue_;
  std::vector<rd_kafka_message_t*> messages_;
  std::size_t size_ = 0;
};

class Loop {
 public:
  explicit Loop(const Options& options)
      : options_(options),
        producer_(
            make_producer(options.bootstrap, {{"transactional.id", "kafka-loop-" + options.to},
                                              {"linger.ms", options.epoch_ms < 200 ? "1" : "5"}})),
        consumer_(make_consumer(
            options.bootstrap,
            {{"group.id", "kafka-loop-" + options.to},
             {"enable.partition.eof", "true"},
             {"queued.max.messages.kbytes", std::to_string(options.prefetch_mib * 1024)}})),
        queue_(rd_kafka_queue_get_consumer(consumer_.get())),
        group_(rd_kafka_consumer_group_metadata_new(("kafka-loop-" + options.to).c_str())) {
    require(rd_kafka_init_transactions(producer_.get(), kRequestMs), "init_transactions");
    from_ = open_topic(consumer_.get(), options.from);
    to_ = open_topic(producer_.get(), options.to);
    if (to_.partitions < from_.partitions) fail(options.to + " has fewer partitions");
    partitions_.resize(static_cast<std::size_t>(from_.partitions));
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      partitions_[i].end = end_offset(consumer_.get(), options.from, static_cast<int>(i));
    }
  }

  /// Number of records copied.
  std::int64_t run() {
    assign_all(consumer_.get(), from_);
    Batch batch(queue_.get());
    while (!ended()) {
      batch.fetch(wait_ms());
      copy(batch);
      if (open_ && Clock::now() >= due_) commit();
    }
    if (open_) commit();
    require(rd_kafka_consumer_close(consumer_.get()), "close");
    return records_;
  }

 private:
  bool ended() const {
    if (options_.forever) return stop_wanted != 0;
    for (const Partition& partition : partitions_) {
      if (partition.next < partition.end) return false;
    }
    return true;
  }

  /// Until the commit is due; a signal is noticed in between.
  int wait_ms() const {
    constexpr std::int64_t kMostMs = 100;
    if (!open_) return kMostMs;
    const auto left = std::chrono::ceil<milliseconds>(due_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, kMostMs));
  }

  // Messages come in runs of one partition.
  void copy(const Batch& batch) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const rd_kafka_message_t& message = batch[i];
      if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        note(message);
        continue;
      }
      if (!run_.empty() && message.partition != run_partition_) produce_run();
      run_partition_ = message.partition;
      rd_kafka_message_t copied{};
      copied.payload = message.payload;
      copied.len = message.len;
      copied.key = message.key;
      copied.key_len = message.key_len;
      run_.push_back(copied);
      partition(message).next = message.offset + 1;
    }
    if (!run_.empty()) produce_run();
  }

  void note(const rd_kafka_message_t& message) {
    // Behind the last message there may be marks of transactions only.
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      partition(message).next = std::max(partition(message).next, message.offset);
    } else {
      fail(std::string("consume: ") + rd_kafka_message_errstr(&message));
    }
  }

  Partition& partition(const rd_kafka_message_t& message) {
    return partitions_[static_cast<std::size_t>(message.partition)];
  }

  void produce_run() {
    if (!open_) begin();
    make_room();
    const auto count = static_cast<int>(run_.size());
    const int taken = rd_kafka_produce_batch(to_.topic.get(), run_partition_, RD_KAFKA_MSG_F_COPY,
                                             run_.data(), count);
    if (taken != count) fail("produce: a part was not taken");
    records_ += count;
    run_.clear();
  }

  // Bounds what is queued: a full queue would refuse single records of a batch.
  void make_room() {
    constexpr int kMostQueued = 100'000;
    while (rd_kafka_outq_len(producer_.get()) > kMostQueued) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  // librdkafka waits 20 ms when it begins to write while the marks of the transaction before are
  // still being written, which takes about 2 ms.
  void begin() {
    std::this_thread::sleep_until(committed_ + milliseconds(2));
    require(rd_kafka_begin_transaction(producer_.get()), "begin_transaction");
    due_ = Clock::now() + milliseconds(options_.epoch_ms);
    open_ = true;
  }

  void commit() {
    const PartitionList list(rd_kafka_topic_partition_list_new(from_.partitions));
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      rd_kafka_topic_partition_list_add(list.get(), options_.from.c_str(), static_cast<int>(i))
          ->offset = partitions_[i].next;
    }
    require(
        rd_kafka_send_offsets_to_transaction(producer_.get(), list.get(), group_.get(), kRequestMs),
        "send_offsets_to_transaction");
    require(rd_kafka_commit_transaction(producer_.get(), kRequestMs), "commit_transaction");
    committed_ = Clock::now();
    open_ = false;
  }

  Options options_;
  Client producer_, consumer_;
  Queue queue_;
  GroupMetadata group_;
  TopicHandle from_, to_;
  std::vector<Partition> partitions_;
  std::vector<rd_kafka_message_t> run_;  // waiting to be produced, all to run_partition_
  std::int32_t run_partition_ = 0;
  std::int64_t records_ = 0;
  bool open_ = false;  // a transaction
  Clock::time_point due_, committed_;
};

void print_summary(std::int64_t records, Clock::time_point start) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  fmt::print(R"({{"records": {}, "seconds": {:.3f}, "cpu_seconds": {:.3f}, "max_rss_mib": {}}})"
             "\n",
             records, std::chrono::duration<double>(Clock::now() - start).count(),
             seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss / 1024);
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  using huiliu::bench::Clock;
  const Clock::time_point start = Clock::now();
  huiliu::bench::Options options;
  CLI::App app("Copies a topic exactly once, as fast as librdkafka allows.");
  app.add_option("--bootstrap", options.bootstrap, "brokers")->required();
  app.add_option("--from", options.from, "topic to read from its beginning");
  app.add_option("--to", options.to, "topic to write, to the same partition numbers");
  app.add_option("--epoch", options.epoch_ms, "ms between commits");
  app.add_option("--prefetch", options.prefetch_mib, "MiB for messages that are fetched ahead");
  app.add_flag("--forever", options.forever, "until SIGTERM, not until the end of the start");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGTERM, [](int) { huiliu::bench::stop_wanted = 1; });
  huiliu::bench::Loop loop(options);
  huiliu::bench::print_summary(loop.run(), start);
  return 0;
}
