#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/component/sink.h"
#include "runtime/component/source.h"

namespace huiliu::connectors::kafka {

/// Rows on their way to the worker that owns their shard. A message holds rows of one shard, in
/// order: a version byte and rows_form() (8 bytes), then per row its size (4 bytes), event time, id
/// and origin's offset (8 bytes each), the size (3 bytes) of the origin's partition name, the kind
/// of change (1 byte), the name, the row (row_codec.h).
inline constexpr char kRowsVersion = 3;
/// The same for a message that says times instead of rows (upstream_times.h): behind the form comes
/// times_bytes(). It is the last one of an epoch in a partition, and says how far the writer's
/// shards have come with it.
inline constexpr char kTimesVersion = 4;

/// Tells rows of another version of the topology: a hash of the rows' fields and types, the key and
/// the number of shards, all of which a reader must share with the writer.
std::uint64_t rows_form(const runtime::Schema& schema, const runtime::Config& config);
/// kInvalid with a remedy if a message of the slice is not of this form.
runtime::Status check_rows(std::string_view slice, std::uint64_t form, const std::string& topic);

/// Writes into the epoch's transaction. Options: `topic`, `key` (fields), `shards`.
const runtime::SinkType& repartition_sink();
/// Reads this worker's partitions of `topic`.
const runtime::SourceType& repartition_source();

}  // namespace huiliu::connectors::kafka
