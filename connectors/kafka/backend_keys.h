#pragma once

#include <cstdint>
#include <string_view>

#include "connectors/kafka/topics.h"
#include "runtime/clock.h"

namespace huiliu::connectors::kafka {

/// Keys of the progress topic that are not the engine's.
inline constexpr std::string_view kEpoch = "!epoch", kOwner = "!owner", kShards = "!shards";
inline constexpr std::string_view kTrimmed = "!trimmed/", kTable = "!table/";
/// Keys of the local store.
inline constexpr std::string_view kCluster = "kafka/cluster", kPosition = "kafka/position/";
inline constexpr std::string_view kTime = "kafka/time";

/// A compacted topic of the engine's own.
InternalTopic compacted(std::string name, int partitions, int replication,
                        std::uint64_t segment_bytes);

inline std::int64_t now_ms() { return runtime::system_clock().now_ms(); }

}  // namespace huiliu::connectors::kafka
