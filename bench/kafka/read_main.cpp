// kafka_read BOOTSTRAP TOPIC: reads the committed messages of a topic up to its end and drops them:
// the limit for whoever restores a table from it. Prints records, bytes (of keys and values) and
// seconds since the start of the program, as JSON.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/kafka/client.h"

namespace huiliu::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Counts {
  std::int64_t records = 0;
  std::uint64_t bytes = 0;
};

Counts read_all(const std::string& bootstrap, const std::string& topic) {
  constexpr int kWaitMs = 10;  // it waits so long unless the batch is full
  constexpr std::size_t kBatch = 2048;
  const Client consumer = make_consumer(bootstrap, {{"group.id", "kafka-read"},
                                                    {"enable.partition.eof", "true"},
                                                    {"queued.max.messages.kbytes", "262144"}});
  const TopicHandle handle = open_topic(consumer.get(), topic);
  assign_all(consumer.get(), handle);
  const Queue queue(rd_kafka_queue_get_consumer(consumer.get()));
  std::vector<rd_kafka_message_t*> batch(kBatch);
  Counts counts;
  for (int left = handle.partitions; left > 0;) {
    const ssize_t taken =
        rd_kafka_consume_batch_queue(queue.get(), kWaitMs, batch.data(), batch.size());
    for (ssize_t i = 0; i < taken; ++i) {
      rd_kafka_message_t* message = batch[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++counts.records;
        counts.bytes += message->key_len + message->len;
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        --left;
      } else {
        fail(fmt::format("consume: {}", rd_kafka_message_errstr(message)));
      }
      rd_kafka_message_destroy(message);
    }
  }
  require(rd_kafka_consumer_close(consumer.get()), "close");
  return counts;
}

}  // namespace
}  // namespace huiliu::bench

int main(int argc, char** argv) {
  using huiliu::bench::Clock;
  if (argc != 3) {
    fmt::print(stderr, "usage: kafka_read BOOTSTRAP TOPIC\n");
    return 2;
  }
  const Clock::time_point start = Clock::now();
  const huiliu::bench::Counts counts = huiliu::bench::read_all(argv[1], argv[2]);
  fmt::print(R"({{"records": {}, "bytes": {}, "seconds": {:.3f}}})"
             "\n",
             counts.records, counts.bytes,
             std::chrono::duration<double>(Clock::now() - start).count());
  return 0;
}
