#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <rocksdb/env.h>

#include "runtime/base/status.h"
#include "runtime/component/intake.h"

namespace huiliu::state {

/// The keys by which senders have named entries. They outlive the entries.
class IntakeKeys {
 public:
  struct Known {
    std::uint64_t number = 0;
    std::int64_t arrived_ms = 0;
    std::uint64_t records = 0;
    std::uint64_t body_hash = 0;
  };

  /// Beyond so many the oldest are forgotten before their time: about 400 MiB of memory.
  static constexpr std::size_t kMost = 4'000'000;

  static std::uint64_t hash_of(std::string_view body);
  const Known* find(std::string_view key) const;
  /// Entries come in the order of their numbers.
  void add(const runtime::IntakeEntry& entry) { add(entry, hash_of(entry.body)); }
  void add(const runtime::IntakeEntry& entry, std::uint64_t body_hash);
  /// Forgets what arrived before; how many were forgotten because there are too many.
  std::uint64_t forget(std::int64_t before_ms);
  std::size_t size() const { return known_.size(); }

  /// A file's bytes with the keys of entries with these numbers, and the latest arrival among them;
  /// empty if there are none.
  struct File {
    std::string bytes;
    std::int64_t latest_ms = 0;
  };
  File file_of(std::uint64_t first, std::uint64_t last) const;
  /// Adds those of a file. kCorrupt if it is damaged. The latest arrival among them.
  runtime::Result<std::int64_t> load(rocksdb::Env& env, const std::string& path);

 private:
  struct Hash {
    std::uint64_t high = 0, low = 0;
    bool operator==(const Hash&) const = default;
  };
  struct Fold {
    std::size_t operator()(const Hash& hash) const { return hash.low; }
  };
  static Hash name_of(std::string_view key);
  void put(const Hash& hash, const Known& known);

  std::unordered_map<Hash, Known, Fold> known_;
  std::deque<std::pair<Known, Hash>> order_;  // by number
};

}  // namespace huiliu::state
