#pragma once

#include <algorithm>
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

/// The key's value: "NEXT", then "@TIME" and "+BARE_TO" where they are known.
struct Position {
  std::int64_t next = 0;   ///< offset to read next
  std::int64_t time = -1;  ///< ms, of the message before it; -1: unknown
  /// From `next` up to here there is no message, only marks of transactions and what was aborted:
  /// where that is deleted nothing is lost. At most `next`: unknown.
  std::int64_t bare_to = -1;

  /// Where a consumer stands that has read all this.
  std::int64_t reached() const { return std::max(next, bare_to); }
};

std::string position_text(const Position& position);
/// Nothing if somebody else has written the text.
std::optional<Position> parse_position(std::string_view text);

}  // namespace huiliu::connectors::kafka
