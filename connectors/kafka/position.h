#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace huiliu::connectors::kafka {

/// A source's position in one partition. The source's own key is "kafka/TOPIC/PARTITION", the
/// engine's "source/NODE/kafka/TOPIC/PARTITION"; the value is the next offset to read.
struct PositionKey {
  std::string topic;
  int partition = 0;
};

std::string position_key(std::string_view topic, int partition);
/// Of either form; nothing if the key is no position of Kafka.
std::optional<PositionKey> parse_position_key(std::string_view key);

}  // namespace huiliu::connectors::kafka
