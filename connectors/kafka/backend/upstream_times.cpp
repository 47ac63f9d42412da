#include "connectors/kafka/backend/upstream_times.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace huiliu::connectors::kafka {

using runtime::ShardTime;

namespace {

// Between a shard's number and its time in text().
constexpr char kMarks[] = {'=', '~', '-'};
static_assert(static_cast<int>(ShardTime::State::kTime) == 0 &&
              static_cast<int>(ShardTime::State::kIdle) == 1 &&
              static_cast<int>(ShardTime::State::kNone) == 2);

template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::optional<ShardTime::State> state_of(char mark) {
  const char* const found = std::find(std::begin(kMarks), std::end(kMarks), mark);
  if (found == std::end(kMarks)) return std::nullopt;
  return static_cast<ShardTime::State>(found - std::begin(kMarks));
}

}  // namespace

std::optional<UpstreamTimes> UpstreamTimes::parse(std::string_view text, std::uint16_t shards) {
  UpstreamTimes times(shards);
  while (!text.empty()) {
    ShardTime one;
    if (!take_number(text, one.shard) || one.shard >= shards || text.empty()) return std::nullopt;
    const auto state = state_of(text.front());
    if (!state) return std::nullopt;
    one.state = *state;
    text.remove_prefix(1);
    if (!take_number(text, one.time)) return std::nullopt;
    times.shards_[one.shard] = one;
    if (text.empty()) break;
    if (text.front() != ',') return std::nullopt;
    text.remove_prefix(1);
  }
  return times;
}

std::string UpstreamTimes::text() const {
  std::string text;
  for (const auto& one : shards_) {
    if (!one) continue;
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ",", one->shard,
                        kMarks[static_cast<std::size_t>(one->state)], one->time);
  }
  return text;
}

void UpstreamTimes::take(const std::vector<ShardTime>& times) {
  for (const ShardTime& one : times) {
    if (one.shard >= shards_.size()) continue;
    std::optional<ShardTime>& known = shards_[one.shard];
    const std::int64_t before = known ? known->time : runtime::kNoEventTime;
    known = one;
    known->time = std::max(one.time, before);
  }
}

runtime::ToldTime UpstreamTimes::told() const {
  std::int64_t least = runtime::kEndOfTime, greatest = runtime::kNoEventTime;
  for (const auto& one : shards_) {
    if (!one) return {};
    greatest = std::max(greatest, one->time);
    if (one->state == ShardTime::State::kTime) least = std::min(least, one->time);
  }
  if (least == runtime::kEndOfTime) return {.time = greatest, .idle = true};
  return {.time = least};
}

std::string times_bytes(const std::vector<ShardTime>& times) {
  std::string bytes;
  for (const ShardTime& one : times) {
    bytes.append(reinterpret_cast<const char*>(&one.shard), sizeof one.shard);
    bytes += static_cast<char>(one.state);
    bytes.append(reinterpret_cast<const char*>(&one.time), sizeof one.time);
  }
  return bytes;
}

std::optional<std::vector<ShardTime>> parse_times(std::string_view bytes) {
  constexpr std::size_t kSize = sizeof(std::uint16_t) + 1 + sizeof(std::int64_t);
  if (bytes.size() % kSize != 0) return std::nullopt;
  std::vector<ShardTime> times;
  for (; !bytes.empty(); bytes.remove_prefix(kSize)) {
    ShardTime one;
    std::memcpy(&one.shard, bytes.data(), sizeof one.shard);
    const auto state = static_cast<unsigned char>(bytes[sizeof one.shard]);
    if (state >= std::size(kMarks)) return std::nullopt;
    one.state = static_cast<ShardTime::State>(state);
    std::memcpy(&one.time, bytes.data() + sizeof one.shard + 1, sizeof one.time);
    times.push_back(one);
  }
  return times;
}

}  // namespace huiliu::connectors::kafka
