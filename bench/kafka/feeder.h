#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/kafka/client.h"

namespace huiliu::bench {

/// Sends messages to a topic that nobody else writes to. Ends the program if one is lost.
class Feeder {
 public:
  Feeder(const std::string& bootstrap, const std::string& topic);

  int partitions() const { return topic_.partitions; }
  /// An empty key is none. The timestamp is ms since 1970.
  void send(int partition, std::string_view key, std::string_view value, std::int64_t timestamp_ms);
  /// Number of messages, all of them in the topic.
  std::int64_t finish();
  std::int64_t sent() const { return sent_; }

 private:
  void make_room();

  Client producer_;
  TopicHandle topic_;
  std::int64_t before_ = 0;
  std::int64_t sent_ = 0;
};

}  // namespace huiliu::bench
