#include "connectors/kafka/client/position.h"

#include <charconv>

#include <fmt/format.h>

#include "runtime/base/stored_number.h"
#include "runtime/component/meta_key.h"

namespace huiliu::connectors::kafka {

constexpr std::string_view kPrefix = "kafka/";

std::string position_key(std::string_view topic, int partition) {
  return fmt::format("{}{}/{}", kPrefix, topic, partition);
}

std::optional<PositionKey> parse_position_key(std::string_view key) {
  constexpr std::string_view kSource = runtime::MetaKey::kSource;
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
  std::string text = std::to_string(position.next);
  if (position.time >= 0) text += fmt::format("@{}", position.time);
  if (position.bare_to > position.next) text += fmt::format("+{}", position.bare_to);
  return text;
}

std::optional<Position> parse_position(std::string_view text) {
  Position position;
  const auto number = [&text](std::int64_t& into) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, into);
    if (error != std::errc() || into < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    return true;
  };
  const auto after = [&](char mark, std::int64_t& into) {
    if (!text.starts_with(mark)) return true;
    text.remove_prefix(1);
    return number(into);
  };
  const bool whole = number(position.next) && after('@', position.time) &&
                     after('+', position.bare_to) && text.empty();
  return whole ? std::optional(position) : std::nullopt;
}

}  // namespace huiliu::connectors::kafka
