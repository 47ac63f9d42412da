#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace huiliu::connectors::kafka {

/// A source's position in one partition. The source's own key is "kafka/TOPIC/PARTITION", the
/// engine's "source/NODE/kafka/TOPIC/PARTITION".
struct PositionKey {
  std::string topic;
  int partition = 0;
};

std::string position_key(std::string_view topic, int partition);
/// Of either form; nothing if the key is no position of Kafka.
std::optional<PositionKey> parse_position_key(std::string_view key);

/// The key's value: "NEXT" or "NEXT@TIME".
struct Position {
  std::int64_t next = 0;   ///< offset to read next
  std::int64_t time = -1;  ///< ms, of the message before it; -1: unknown
};

std::string position_text(const Position& position);
Position parse_position(const std::string& text);

}  // namespace huiliu::connectors::kafka
