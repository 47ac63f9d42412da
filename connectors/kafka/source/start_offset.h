#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connectors/kafka/client/position.h"
#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

/// Option `start`.
enum class StartAt { kCommitted, kEarliest, kLatest, kTime };
/// Option `on_missing`.
enum class OnMissing { kFail, kEarliest, kLatest };

/// Of a message that has none, or whose time is not known.
inline constexpr std::int64_t kNoTime = -1;

/// What the options of a source say about starts.
struct StartRules {
  StartAt start = StartAt::kCommitted;
  OnMissing on_missing = OnMissing::kFail;
  bool has_group = false;  ///< `start: committed` names a consumer group
};

/// What the reader knows of a partition when it chooses where to start.
struct PartitionFacts {
  std::optional<Position> committed;  ///< by the topology
  OffsetRange range;                  ///< the messages that the brokers have
  bool first = true;  ///< the partition was there when the reader was opened, not found later
  bool seen_others = false;  ///< the topology has committed positions of other partitions
};

/// Why the message that is to be read next is not there.
enum class Missing {
  kNothing,    ///< it is there
  kDeleted,    ///< the topic begins behind it
  kCut,        ///< the topic ends before it
  kRecreated,  ///< another message is in the place of the last one that was read
};
/// For messages: "messages were deleted before they were read".
std::string_view text_of(Missing missing);

struct StartDecision {
  enum class What {
    kOffset,    ///< start at `offset`
    kAskGroup,  ///< ask the brokers for the group's offset, then decide_group_start()
    kAskTime,   ///< ask the brokers for the offset of the time, then decide_time_start()
    kRefuse,    ///< `wanted` is missing, and `on_missing` says fail
  };
  What what = What::kOffset;
  std::int64_t offset = 0;
  std::int64_t wanted = 0;  ///< unless `missing` is kNothing: what was to be read next
  Missing missing = Missing::kNothing;
  /// The next start would not find the same offset by itself: the position is to be committed even
  /// if no message comes.
  bool keep = false;

  bool operator==(const StartDecision&) const = default;
};

/// Where a partition is read from. Pure, as all functions here.
StartDecision decide_start(const PartitionFacts& facts, const StartRules& rules);
/// After kAskGroup; `offset` is the group's, negative if it has none.
StartDecision decide_group_start(std::int64_t offset, const OffsetRange& range, OnMissing rule);
/// After kAskTime; `offset` is of the first message of that time or later, negative if there is
/// none yet.
StartDecision decide_time_start(std::int64_t offset, const OffsetRange& range);
/// Where to go on when `wanted` is missing.
StartDecision decide_missing(Missing missing, std::int64_t wanted, const OffsetRange& range,
                             OnMissing rule);

/// What of a committed position still holds when reading starts at an offset.
struct LastMessage {
  std::int64_t time = kNoTime;      ///< of the message before the offset
  std::int64_t expected = kNoTime;  ///< its time, if it is read again to be compared; else kNoTime
  std::int64_t bare_to = -1;        ///< as in Position

  bool operator==(const LastMessage&) const = default;
};
/// The message before the start is read again where the brokers still have it, and must be the one
/// that was read: a topic that was recreated may have as many messages as the old one.
LastMessage decide_last_message(const PartitionFacts& facts, std::int64_t start);

}  // namespace huiliu::connectors::kafka
