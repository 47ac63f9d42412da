#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "runtime/record/value.h"

namespace huiliu::runtime {

inline constexpr std::int64_t kNoEventTime = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

/// Where a record was read: the partition (a file, "file#sheet", a topic's partition) and the
/// offset in it (data row counted from 1, or the log's offset). `partition` points to an interned
/// string that lives as long as the process.
struct Origin {
  const std::string* partition = nullptr;
  std::uint64_t offset = 0;
};

/// The origin in words: "FILE:ROW" or "FILE.xlsx:SHEET:ROW" as `explain --at` takes it,
/// "TOPIC[PARTITION]@OFFSET" of a log; empty for a record that was made on the way.
std::string origin_text(const Origin& origin);

/// What a record does to those who keep records, or count them.
enum class Change : std::uint8_t {
  kInsert,        ///< there is one more; all records of most streams are so
  kUpdateBefore,  ///< takes back one that came before; what is in its place follows
  kUpdateAfter,   ///< stands in the place of what was just taken back
  kDelete,        ///< takes back one that came before, for good
};
/// The field in which a stream of changes says, for those who keep rows as they come, what
/// Record::change says: "insert" or "delete".
inline constexpr const char* kChangeField = "change";
inline std::string_view change_text(bool taken_back) { return taken_back ? "delete" : "insert"; }

inline bool takes_back(Change change) {
  return change == Change::kUpdateBefore || change == Change::kDelete;
}

/// A row on its way through a chain. It does not own its values. Whoever receives it may change
/// its slots in place and append fields behind its width, up to the plan's row_slots(); text that
/// is put into a slot must live until the slice is done (use Outputs::arena()).
struct Record {
  Value* values = nullptr;
  std::uint32_t width = 0;
  Change change = Change::kInsert;
  std::int64_t event_time = kNoEventTime;
  std::uint64_t id = 0;        ///< mix of partition and offset; the ledger sums it up
  std::uint64_t key_hash = 0;  ///< hash of the key fields, set for the keyed operator only
  Origin origin;

  Value& operator[](std::size_t index) { return values[index]; }
  const Value& operator[](std::size_t index) const { return values[index]; }
};

/// The ledger's identity of a record: well mixed, so that sums of it detect swaps.
inline std::uint64_t record_id(std::uint64_t partition_hash, std::uint64_t offset) {
  std::uint64_t x = partition_hash ^ (offset * 0x9E3779B97F4A7C15ull);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

}  // namespace huiliu::runtime
