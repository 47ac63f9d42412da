#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/component/intake.h"

namespace huiliu::state {

/// How an intake log lies in files. A segment is a head and then entries; the name of its file is
/// the number of its first entry. Entries that were made durable together are a group, and each
/// says where its group begins: what is behind a damaged entry and of another group was written
/// when that entry was durable.
///
///     head:  magic u64, first number u64, length of the segment before it u64, checksum u64
///     entry: magic u32, payload size u32, begin of the group u64, checksum u64, payload
///
/// All numbers are little-endian. The checksum of an entry is XXH3 of its payload, seeded with that
/// of its head.
struct IntakeFormat {
  static constexpr std::size_t kHeadBytes = 32;
  static constexpr std::size_t kEntryHeadBytes = 24;
  static constexpr std::uint32_t kMostPayload = 1u << 30;

  struct Head {
    std::uint64_t first = 0;           ///< number of its first entry
    std::uint64_t previous_bytes = 0;  ///< of the segment before it that are durable; 0: none
  };

  static void append_head(const Head& head, std::string& to);
  static std::optional<Head> parse_head(std::string_view bytes);
  /// `group`: where its group begins in the file.
  static void append_entry(const runtime::IntakeEntry& entry, std::uint64_t group, std::string& to);

  struct Found {
    std::size_t bytes = 0;  ///< that the entry takes
    std::uint64_t group = 0;
    std::string_view payload;
  };
  /// The entry at `at` of a segment's bytes; nothing if there is no whole and sound one.
  static std::optional<Found> entry_at(std::string_view segment, std::size_t at);
  /// Bytes of the entry whose head this is, with the head; 0 if it is none.
  static std::size_t size_of(std::string_view head);
  static std::optional<runtime::IntakeEntry> parse_payload(std::string_view payload);
};

/// What a segment was found to hold.
struct IntakeSegment {
  std::string path;
  std::uint64_t first = 0, last = 0;  ///< numbers; last < first: it is empty
  std::uint64_t bytes = 0;            ///< of its head and its whole entries
  std::int64_t latest_ms = 0;         ///< arrival of its last entry
};

}  // namespace huiliu::state
