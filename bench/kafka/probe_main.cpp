// kafka_probe: latency from producing a message until a read_committed consumer has what became of
// it. One thread produces at an even rate, one reads; both sleep while there is nothing to do.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/kafka/client.h"

namespace huiliu::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

struct Options {
  std::string bootstrap, to, from;
  int rate = 5000;
  int warmup_s = 5;
  int seconds = 20;
  int bytes = 350;  // of a message
};

std::int64_t now_ns() { return nanoseconds(Clock::now().time_since_epoch()).count(); }

/// The first number in the text; -1 if there is none. Raw or inside JSON.
std::int64_t first_number(std::string_view text) {
  const std::size_t begin = text.find_first_of("0123456789");
  std::int64_t number = -1;
  if (begin != std::string_view::npos) {
    std::from_chars(text.data() + begin, text.data() + text.size(), number);
  }
  return number;
}

/// Produces messages that begin with the time at which each was handed to librdkafka.
class PacedProducer {
 public:
  explicit PacedProducer(const Options& options)
      : options_(options),
        client_(make_producer(options.bootstrap, {{"linger.ms", "0"}})),
        topic_(open_topic(client_.get(), options.to)),
        before_(end_offsets(client_.get(), topic_)),
        message_(static_cast<std::size_t>(options.bytes), 'x') {}

  void run() {
    const Clock::time_point start = Clock::now();
    const std::int64_t total =
        static_cast<std::int64_t>(options_.rate) * (options_.warmup_s + options_.seconds);
    while (sent_ < total) {
      const std::chrono::duration<double> passed = Clock::now() - start;
      const auto due = static_cast<std::int64_t>(passed.count() * options_.rate);
      while (sent_ < std::min(due, total)) send();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    constexpr int kFlushMs = 10'000;
    require(rd_kafka_flush(client_.get(), kFlushMs), "flush");
    const std::int64_t arrived = end_offsets(client_.get(), topic_) - before_;
    if (arrived != sent_) fail(fmt::format("{} messages sent, {} arrived", sent_, arrived));
  }

  std::int64_t sent() const { return sent_; }

 private:
  void send() {
    const std::string digits = std::to_string(now_ns());
    std::copy(digits.begin(), digits.end(), message_.begin());
    message_[digits.size()] = ' ';
    const int partition = static_cast<int>(sent_ % topic_.partitions);
    if (rd_kafka_produce(topic_.topic.get(), partition, RD_KAFKA_MSG_F_COPY, message_.data(),
                         message_.size(), nullptr, 0, nullptr) != 0) {
      require(rd_kafka_last_error(), "produce");
    }
    ++sent_;
  }

  Options options_;
  Client client_;
  TopicHandle topic_;
  std::int64_t before_;
  std::string message_;
  std::int64_t sent_ = 0;
};

/// Notes the age of each message as it comes.
class Reader {
 public:
  explicit Reader(const Options& options)
      : client_(make_consumer(options.bootstrap, {{"group.id", "kafka-probe-" + options.from}})) {
    assign_all(client_.get(), open_topic(client_.get(), options.from));
  }

  void run(const std::atomic<bool>& stop) {
    constexpr int kWaitMs = 100;
    while (!stop) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client_.get(), kWaitMs);
      if (message == nullptr) continue;
      const std::int64_t now = now_ns();
      require(message->err, "consume");
      take_in({static_cast<const char*>(message->payload), message->len}, now);
      rd_kafka_message_destroy(message);
    }
    require(rd_kafka_consumer_close(client_.get()), "close");
  }

  /// Messages produced before this are counted, not timed.
  void set_measure_from(std::int64_t ns) { measure_from_ns_ = ns; }
  std::int64_t received() const { return received_; }
  std::vector<std::int64_t>& ages_ns() { return ages_ns_; }

 private:
  void take_in(std::string_view value, std::int64_t now) {
    ++received_;
    const std::int64_t sent = first_number(value);
    if (sent < 0) fail("a message without a time came back");
    if (sent >= measure_from_ns_) ages_ns_.push_back(now - sent);
  }

  Client client_;
  std::int64_t measure_from_ns_ = 0;
  std::atomic<std::int64_t> received_ = 0;
  std::vector<std::int64_t> ages_ns_;
};

double quantile_ms(const std::vector<std::int64_t>& sorted_ns, double part) {
  if (sorted_ns.empty()) return -1;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted_ns.size()));
  return static_cast<double>(sorted_ns[std::min(at, sorted_ns.size() - 1)]) / 1e6;
}

void print_summary(std::int64_t sent, Reader& reader) {
  std::vector<std::int64_t>& ages = reader.ages_ns();
  std::sort(ages.begin(), ages.end());
  fmt::print(R"({{"sent": {}, "received": {}, "measured": {}, "p50_ms": {:.2f}, "p99_ms": {:.2f}, )"
             R"("p999_ms": {:.2f}, "max_ms": {:.2f}}})"
             "\n",
             sent, reader.received(), ages.size(), quantile_ms(ages, 0.5), quantile_ms(ages, 0.99),
             quantile_ms(ages, 0.999), quantile_ms(ages, 1));
}

/// What comes late is waited for, and a moment longer what comes twice.
void await_all(const Reader& reader, std::int64_t sent) {
  using std::chrono::seconds;
  const Clock::time_point deadline = Clock::now() + seconds(30);
  while (reader.received() < sent && Clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::this_thread::sleep_for(seconds(1));
}

/// 0 if everything that was sent came back, once.
int probe(const Options& options) {
  std::atomic<bool> stop = false;
  Reader reader(options);
  PacedProducer producer(options);
  reader.set_measure_from(now_ns() + options.warmup_s * 1'000'000'000LL);
  std::thread reading([&] { reader.run(stop); });
  producer.run();
  await_all(reader, producer.sent());
  stop = true;
  reading.join();
  print_summary(producer.sent(), reader);
  return reader.received() == producer.sent() ? 0 : 3;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  huiliu::bench::Options options;
  CLI::App app("Measures the latency of whatever carries messages from one topic to another.");
  app.add_option("--bootstrap", options.bootstrap, "brokers")->required();
  app.add_option("--to", options.to, "topic to produce to")->required();
  app.add_option("--from", options.from, "topic to read what became of it")->required();
  app.add_option("--rate", options.rate, "messages a second");
  app.add_option("--warmup", options.warmup_s, "seconds before anything is measured");
  app.add_option("--seconds", options.seconds, "seconds to measure");
  app.add_option("--bytes", options.bytes, "size of a message")->check(CLI::Range(32, 100000));
  CLI11_PARSE(app, argc, argv);
  return huiliu::bench::probe(options);
}
