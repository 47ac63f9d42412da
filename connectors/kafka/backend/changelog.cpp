#include "connectors/kafka/backend/changelog.h"

#include <array>

#include "runtime/base/failpoint.h"
#include "runtime/record/key.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {

using runtime::mutant;
using runtime::Result;
using runtime::Status;

namespace {

constexpr const char* kMostMessageText = "16777216";

/// Puts rows into a table some rows after their memory was asked for.
class AheadOfTable {
 public:
  AheadOfTable(state::Table& table, std::uint16_t shard) : table_(table), shard_(shard) {}
  ~AheadOfTable() {
    for (std::size_t i = 0; i < kAhead; ++i) put(rows_[(next_ + i) % kAhead]);
  }
  AheadOfTable(const AheadOfTable&) = delete;
  AheadOfTable& operator=(const AheadOfTable&) = delete;

  void add(bool tombstone, std::string_view key, std::string_view value) {
    Row& row = rows_[next_++ % kAhead];
    put(row);
    row = {true, tombstone, key, value, runtime::KeyBuilder::hash_bytes(key)};
    table_.prefetch(row.hash);
  }

 private:
  static constexpr std::size_t kAhead = 8;
  struct Row {
    bool there = false, tombstone = false;
    std::string_view key, value;
    std::uint64_t hash = 0;
  };

  void put(const Row& row) {
    if (!row.there || (mutant("kafka.restore_forgets") && row.hash % 64 == 0)) return;
    if (row.tombstone) return table_.erase(shard_, row.key, row.hash);
    table_.put(shard_, row.key, row.hash, row.value);
  }

  state::Table& table_;
  const std::uint16_t shard_;
  std::array<Row, kAhead> rows_;
  std::size_t next_ = 0;
};

Status damaged() { return Status::corrupt("a record of a changelog is damaged"); }

}  // namespace

ChangelogForm form_of(const runtime::TableDeclaration* table) {
  return table != nullptr && table->only_inserts ? ChangelogForm::kPacked : ChangelogForm::kRows;
}

InternalTopic compacted(std::string name, int partitions, int replication,
                        std::uint64_t segment_bytes) {
  return {std::move(name),
          partitions,
          replication,
          {{"cleanup.policy", "compact"},
           {"segment.bytes", std::to_string(segment_bytes)},
           {"delete.retention.ms", std::to_string(7ll * 24 * 3600 * 1000)},
           {"max.message.bytes", kMostMessageText}}};
}

InternalTopic uncompacted(std::string name, int partitions, int replication) {
  return {std::move(name),
          partitions,
          replication,
          {{"cleanup.policy", "delete"},
           {"retention.ms", "-1"},
           {"retention.bytes", "-1"},
           {"segment.bytes", std::to_string(64u << 20)},
           {"max.message.bytes", kMostMessageText}}};
}

InternalTopic changelog_topic(ChangelogForm form, const std::string& name, int partitions,
                              int replication) {
  constexpr std::uint64_t kSegment = 128u << 20;
  return form == ChangelogForm::kPacked ? uncompacted(name, partitions, replication)
                                        : compacted(name, partitions, replication, kSegment);
}

// Pieces are well below the size of a batch; one row alone may be larger.
Status split_changes(std::string_view blob,
                     const std::function<void(std::string_view piece)>& visit) {
  constexpr std::size_t kPiece = 256u << 10;
  const char* from = blob.data();
  const bool whole = state::read_changes(blob, [&](bool, std::string_view, std::string_view value) {
    const char* const end = value.data() + value.size();
    const auto size = static_cast<std::size_t>(end - from);
    if (size < kPiece && end != blob.data() + blob.size()) return;
    visit({from, size});
    from = end;
  });
  return whole ? Status::ok() : damaged();
}

Result<std::uint64_t> apply_record(ChangelogForm form, state::Table& table, std::uint16_t shard,
                                   std::string_view key, std::optional<std::string_view> value) {
  if (form == ChangelogForm::kRows) {
    const std::uint64_t hash = runtime::KeyBuilder::hash_bytes(key);
    if (!value) {
      table.erase(shard, key, hash);
    } else if (!mutant("kafka.restore_forgets") || hash % 64 != 0) {
      table.put(shard, key, hash, *value);
    }
    return std::uint64_t{1};
  }
  if (!value) return damaged();
  std::uint64_t rows = 0;
  AheadOfTable ahead(table, shard);
  const bool whole = state::read_changes(
      *value, [&](bool tombstone, std::string_view row_key, std::string_view row_value) {
        ahead.add(tombstone, row_key, row_value);
        ++rows;
      });
  if (!whole) return damaged();
  return rows;
}

}  // namespace huiliu::connectors::kafka
