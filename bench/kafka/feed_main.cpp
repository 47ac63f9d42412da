// kafka_feed BOOTSTRAP TOPIC FILE: the workload's input (credit_generator) into a topic. Each line
// goes to the partition of its department, so that duplicates and windows stay in one partition.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bench/kafka/client.h"

namespace huiliu::bench {
namespace {

/// Value of "dept", e.g. D012; empty if the line has none.
std::string_view department_of(std::string_view line) {
  constexpr std::string_view kBefore = "\"dept\":\"";
  const std::size_t begin = line.find(kBefore);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = line.substr(begin + kBefore.size());
  const std::size_t end = rest.find('"');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

/// D012 → 12; 0 for anything else.
int number_of(std::string_view department) {
  int number = 0;
  if (department.starts_with('D')) {
    std::from_chars(department.data() + 1, department.data() + department.size(), number);
  }
  return number;
}

class Feed {
 public:
  Feed(const std::string& bootstrap, const std::string& topic)
      : producer_(make_producer(bootstrap, {{"linger.ms", "20"}})),
        topic_(open_topic(producer_.get(), topic)),
        before_(end_offsets(producer_.get(), topic_)) {}

  void send(const std::string& line) {
    // The workload's own time, as in the lines: ten records a millisecond.
    constexpr std::int64_t kStartMs = 1'710'000'000'000, kPerMs = 10;
    constexpr std::int64_t kRoomEvery = 1024;
    if (sent_ % kRoomEvery == 0) make_room();
    const std::string_view key = department_of(line);
    const auto partition = static_cast<std::int32_t>(number_of(key) % topic_.partitions);
    require(
        rd_kafka_producev(producer_.get(), RD_KAFKA_V_RKT(topic_.topic.get()),
                          RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(line.data()), line.size()),
                          RD_KAFKA_V_TIMESTAMP(kStartMs + sent_ / kPerMs), RD_KAFKA_V_END),
        "produce");
    ++sent_;
  }

  /// Number of lines, all of them in the topic.
  std::int64_t finish() {
    constexpr int kFlushMs = 120'000;
    require(rd_kafka_flush(producer_.get(), kFlushMs), "flush");
    const std::int64_t arrived = end_offsets(producer_.get(), topic_) - before_;
    if (arrived != sent_) fail(fmt::format("{} lines sent, {} arrived", sent_, arrived));
    return sent_;
  }

 private:
  void make_room() {
    constexpr int kMostQueued = 200'000, kWaitMs = 5;
    while (rd_kafka_outq_len(producer_.get()) > kMostQueued) {
      rd_kafka_poll(producer_.get(), kWaitMs);
    }
  }

  Client producer_;
  TopicHandle topic_;
  std::int64_t before_ = 0;
  std::int64_t sent_ = 0;
};

int feed(const std::string& bootstrap, const std::string& topic, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path + ": cannot be read");
  Feed feed(bootstrap, topic);
  for (std::string line; std::getline(file, line);) feed.send(line);
  if (file.bad()) fail(path + ": cannot be read to its end");
  fmt::print(stderr, "{} lines in {}\n", feed.finish(), topic);
  return 0;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: kafka_feed BOOTSTRAP TOPIC FILE\n");
    return 2;
  }
  return huiliu::bench::feed(argv[1], argv[2], argv[3]);
}
