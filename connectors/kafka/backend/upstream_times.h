#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/sink.h"
#include "runtime/component/source.h"

namespace huiliu::connectors::kafka {

/// How far the writers of one partition of a repartition topic have come in event time, by the
/// shard of their input. Writers are processes, and shards move between them, so it is the shard
/// that a time belongs to: whoever has the shard goes on where the one before was.
class UpstreamTimes {
 public:
  /// Nothing is known of any of the shards: windows wait.
  explicit UpstreamTimes(std::uint16_t shards) : shards_(shards) {}

  /// What text() gave; nothing if the text is none.
  static std::optional<UpstreamTimes> parse(std::string_view text, std::uint16_t shards);
  std::string text() const;

  void take(const std::vector<runtime::ShardTime>& times);
  /// The least time of all shards, without `saved`.
  runtime::ToldTime told() const;

 private:
  std::vector<std::optional<runtime::ShardTime>> shards_;
};

/// The part of a message that says times: shard (2 bytes), state (1) and time (8) of each.
std::string times_bytes(const std::vector<runtime::ShardTime>& times);
/// Nothing if the bytes are none.
std::optional<std::vector<runtime::ShardTime>> parse_times(std::string_view bytes);

}  // namespace huiliu::connectors::kafka
