#include "connectors/kafka/position.h"

#include <charconv>

#include <fmt/format.h>

namespace huiliu::connectors::kafka {

constexpr std::string_view kPrefix = "kafka/";

std::string position_key(std::string_view topic, int partition) {
  return fmt::format("{}{}/{}", kPrefix, topic, partition);
}

std::optional<PositionKey> parse_position_key(std::string_view key) {
  constexpr std::string_view kSource = "source/";
  if (key.starts_with(kSource)) {
    const auto slash = key.find('/', kSource.size());  // names of nodes have none
    if (slash == std::string_view::npos) return std::nullopt;
    key.remove_prefix(slash + 1);
  }
  if (!key.starts_with(kPrefix)) return std::nullopt;
  key.remove_prefix(kPrefix.size());
  const auto slash = key.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  PositionKey parsed{std::string(key.substr(0, slash)), 0};
  const char* const end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data() + slash + 1, end, parsed.partition);
  if (error != std::errc() || stop != end || parsed.topic.empty()) return std::nullopt;
  return parsed;
}

std::string position_text(const Position& position) {
  if (position.time < 0) return std::to_string(position.next);
  return fmt::format("{}@{}", position.next, position.time);
}

Position parse_position(const std::string& text) {
  const auto at = text.find('@');
  return {std::stoll(text), at == std::string::npos ? -1 : std::stoll(text.substr(at + 1))};
}

}  // namespace huiliu::connectors::kafka
