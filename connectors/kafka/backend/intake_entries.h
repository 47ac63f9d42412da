#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "runtime/component/intake.h"

namespace huiliu::connectors::kafka {

/// The value of a message in an intake's topic: all of the entry but its key, which is the
/// message's, and its number, which is the offset + 1.
std::string intake_value(const runtime::IntakeEntry& entry);
/// The entry at an offset; nothing if the message is none of an intake.
std::optional<runtime::IntakeEntry> intake_entry(std::int64_t offset, std::string_view key,
                                                 std::string_view value);

/// What an intake's topic holds, in the order of the topic, without bodies. A sender that was told
/// nothing sends again, and what it sent first may be there all the same; so may be what another
/// process appended that has not noticed that it was replaced. So of entries with one key the first
/// in the topic counts and the others are left out, which every reader of the topic sees alike. Not
/// thread-safe.
class IntakeEntries {
 public:
  struct Known {
    std::uint64_t number = 0, body_hash = 0, records = 0;
    std::int64_t arrived_ms = 0;
  };

  /// The next entry of the topic.
  void add(const runtime::IntakeEntry& entry, std::uint64_t body_hash);
  /// The first entry with a key that is not empty; null if none is known.
  const Known* find(const std::string& key) const;
  /// Whether the entry is left out: one with its key came before it.
  bool repeats(const runtime::IntakeEntry& entry) const;
  /// Number of the last entry that is not left out; at least what was trimmed.
  std::uint64_t last() const { return last_; }
  /// Number of the last message that was added.
  std::uint64_t end() const { return end_; }
  /// The topic begins behind this number.
  void begins_behind(std::uint64_t number);
  /// Everything up to this number is committed.
  void consume(std::uint64_t number);
  /// What is not committed, with the entries that are left out.
  std::uint64_t waiting_bytes() const { return waiting_bytes_; }
  std::uint64_t waiting() const { return last_ - std::min(last_, consumed_); }
  /// Up to where it may be trimmed: entries that came before `before_ms`; never while something
  /// waits, since what it repeats might be forgotten.
  std::uint64_t trimmable(std::int64_t before_ms) const;
  void trim(std::uint64_t number);
  std::size_t keys() const { return keys_.size(); }
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t conflicting() const { return conflicting_; }

 private:
  struct Held {
    std::uint64_t number = 0, bytes = 0;
    std::int64_t arrived_ms = 0;
    std::string key;  ///< "" also of one that is left out
  };
  std::unordered_map<std::string, Known> keys_;
  std::deque<Held> held_;
  std::size_t consumed_held_ = 0;  // the first of them that are committed
  std::uint64_t consumed_ = 0, waiting_bytes_ = 0;
  std::uint64_t last_ = 0, end_ = 0, repeated_ = 0, conflicting_ = 0;
};

}  // namespace huiliu::connectors::kafka
