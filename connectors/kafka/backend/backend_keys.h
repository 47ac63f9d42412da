#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/kafka/backend/changelog.h"
#include "runtime/base/clock.h"
#include "runtime/base/stored_number.h"

namespace huiliu::connectors::kafka {

/// Keys of the progress topic that are not the engine's.
inline constexpr std::string_view kEpoch = "!epoch", kOwner = "!owner", kShards = "!shards";
inline constexpr std::string_view kTrimmed = "!trimmed/", kTable = "!table/";
/// Of a shard of a table.
inline constexpr std::string_view kShardTable = "!table";
/// Of a shard: who works on it, and who has left it with nothing open.
inline constexpr std::string_view kWorker = "!worker", kLeft = "!left";
inline const std::string kNobody = "-";
/// With several workers some keys are of a shard.
inline std::string shard_key(std::string_view key, std::uint16_t shard) {
  return std::string(key) + "/" + std::to_string(shard);
}
/// Keys of the local store.
inline constexpr std::string_view kCluster = "kafka/cluster", kPosition = "kafka/position/";
/// There while the local store is a whole copy: "all", or the shards it is of.
inline constexpr std::string_view kWhole = "kafka/whole";
inline constexpr std::string_view kTime = "kafka/time", kName = "kafka/worker";

/// Bytes of a segment of the progress topic, which is read whole at each start.
inline constexpr std::uint64_t kProgressSegment = 16u << 20;

inline std::int64_t now_ms() { return runtime::system_clock().now_ms(); }
/// A position in the local store: offset and time.
inline std::string as_local(std::int64_t offset) {
  return std::to_string(offset) + " " + std::to_string(now_ms());
}
/// The offset of as_local().
inline std::int64_t local_offset(const std::string& position) {
  return runtime::stored_number<std::int64_t>(
      std::string_view(position).substr(0, position.find(' ')), "a position in a topic");
}
/// Whether as_local() was called so long ago that the copy is not to be trusted.
inline bool is_too_old(const std::string& position) {
  const std::size_t blank = position.find(' ');
  return blank != std::string::npos &&
         now_ms() - runtime::stored_number<std::int64_t>(
                        std::string_view(position).substr(blank + 1), "the time of a position") >
             kOldestCopyMs;
}

/// A name that no other process has.
std::string random_owner();

}  // namespace huiliu::connectors::kafka
