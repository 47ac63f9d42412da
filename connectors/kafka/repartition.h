#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/sink.h"
#include "runtime/source.h"

namespace huiliu::connectors::kafka {

/// Rows on their way to the worker that owns their shard. A message holds rows of one shard, in
/// order: a version byte, then per row its size (4 bytes), event time, id and origin's offset (8
/// bytes each), the size and bytes of the origin's partition name, the row (row_codec.h).
inline constexpr char kRowsVersion = 1;

/// Writes into the epoch's transaction. Options: `topic`, `key` (fields), `shards`.
const runtime::SinkType& repartition_sink();
/// Reads this worker's partitions of `topic`.
const runtime::SourceType& repartition_source();

}  // namespace huiliu::connectors::kafka
