#include "bench/kafka/feeder.h"

#include <fmt/format.h>

namespace huiliu::bench {

Feeder::Feeder(const std::string& bootstrap, const std::string& topic)
    : producer_(make_producer(bootstrap, {{"linger.ms", "20"}})),
      topic_(open_topic(producer_.get(), topic)),
      before_(end_offsets(producer_.get(), topic_)) {}

void Feeder::send(int partition, std::string_view key, std::string_view value,
                  std::int64_t timestamp_ms) {
  constexpr std::int64_t kRoomEvery = 1024;
  if (sent_ % kRoomEvery == 0) make_room();
  require(
      rd_kafka_producev(producer_.get(), RD_KAFKA_V_RKT(topic_.topic.get()),
                        RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                        RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
                        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END),
      "produce");
  ++sent_;
}

std::int64_t Feeder::finish() {
  constexpr int kFlushMs = 120'000;
  require(rd_kafka_flush(producer_.get(), kFlushMs), "flush");
  const std::int64_t arrived = end_offsets(producer_.get(), topic_) - before_;
  if (arrived != sent_) fail(fmt::format("{} messages sent, {} arrived", sent_, arrived));
  return sent_;
}

void Feeder::make_room() {
  constexpr int kMostQueued = 200'000, kWaitMs = 5;
  while (rd_kafka_outq_len(producer_.get()) > kMostQueued) {
    rd_kafka_poll(producer_.get(), kWaitMs);
  }
}

}  // namespace huiliu::bench
