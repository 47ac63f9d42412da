#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/kafka/client/topics.h"
#include "runtime/component/operator.h"
#include "state/table.h"

namespace huiliu::connectors::kafka {

/// How a changelog topic holds the changes of its table.
enum class ChangelogForm {
  kRows,   ///< a record a row, compacted: its key and value, no value if it was erased
  kPacked  ///< many rows a record, as state/layout.h writes changes; for ever
};

/// Tables whose rows are only inserted are packed: a tenth of the cost, and nothing to compact.
ChangelogForm form_of(const runtime::TableDeclaration* table);

/// A compacted topic of the engine's own.
InternalTopic compacted(std::string name, int partitions, int replication,
                        std::uint64_t segment_bytes);
/// One that keeps its records until they are deleted by request.
InternalTopic uncompacted(std::string name, int partitions, int replication);
InternalTopic changelog_topic(ChangelogForm form, const std::string& name, int partitions,
                              int replication);

/// Visits the pieces of a blob of changes that are records of a packed changelog; kCorrupt if it is
/// damaged.
runtime::Status split_changes(std::string_view blob,
                              const std::function<void(std::string_view piece)>& visit);

/// Takes a changelog's record into its table; no value: a tombstone. The number of rows, or
/// kCorrupt.
runtime::Result<std::uint64_t> apply_record(ChangelogForm form, state::Table& table,
                                            std::uint16_t shard, std::string_view key,
                                            std::optional<std::string_view> value);

}  // namespace huiliu::connectors::kafka
