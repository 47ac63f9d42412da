#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace huiliu::state {

/// What a state says of one shard of a table, written with every change of it: what a start finds
/// must be just that. Table files, the changelog and this lie in different files, and someone may
/// have put those of different moments together.
struct ShardSum {
  std::uint64_t written = 0;  ///< epoch up to which the table's files have the rows
  std::uint64_t blobs = 0;    ///< in the changelog
  std::uint64_t digest = 0;   ///< of these, with their epochs
  bool operator==(const ShardSum&) const = default;

  std::string to_bytes() const;
  static std::optional<ShardSum> parse(std::string_view bytes);
};

/// Key of a sum among the meta keys, and of the mark in a table's files that says the epoch up to
/// which they have the rows of a shard.
std::string sum_key(std::string_view table, std::uint16_t shard);
std::string mark_key(std::uint16_t shard);
/// Behind the shards of all topologies.
inline constexpr std::uint16_t kMarkShard = 0xFFFF;

std::uint64_t blob_hash(std::uint64_t epoch, std::string_view blob);

/// The sums of the shards that are open, as committed.
class Sums {
 public:
  using Shard = std::pair<std::string, std::uint16_t>;  ///< table, shard

  /// What a start has found of a shard.
  void open(const Shard& shard, std::uint64_t written);
  void found(const Shard& shard, std::uint64_t epoch, std::uint64_t hash);
  void forget(const Shard& shard);

  /// As it is with a further blob, or when the files have the rows up to an epoch.
  ShardSum with(const Shard& shard, std::uint64_t epoch, std::uint64_t hash) const;
  ShardSum trimmed(const Shard& shard, std::uint64_t epoch) const;
  ShardSum of(const Shard& shard) const;
  /// That is committed now.
  void add(const Shard& shard, std::uint64_t epoch, std::uint64_t hash);
  void trim(const Shard& shard, std::uint64_t epoch);

  /// Held from making a sum until it is committed: the committer and the flusher both write sums.
  std::mutex& mutex() { return mutex_; }

 private:
  struct Open {
    std::uint64_t written = 0;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> blobs;  ///< epoch, hash; in order
  };
  const Open* find(const Shard& shard) const;

  std::map<Shard, Open> shards_;
  std::mutex mutex_;
};

}  // namespace huiliu::state
