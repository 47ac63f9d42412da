#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"
#include "runtime/record/schema.h"

namespace huiliu::runtime {

/// What a source says of the times of its records. Times and lengths in milliseconds.
struct EventTime {
  int field = -1;  ///< which holds the time (timestamp, or int64 since 1970); -1: there is none
  /// How far a record may lie behind the latest of its split.
  std::int64_t out_of_orderness_ms = 0;
  /// How far ahead of the clock a time may lie. One that lies further would close windows that are
  /// still filled: its record is refused (E410_TIME_AHEAD).
  std::int64_t ahead_ms = 86'400'000;
  /// How long a live split, or a source that has nothing to read, holds up the time of others.
  std::int64_t idle_ms = 60'000;
  /// How far a split may be ahead of the slowest of its group before it is held back; -1: any. A
  /// group without a name is the source's own splits.
  std::int64_t align_most_ms = -1;
  std::string align_group = {};
};

/// The options `event_time`, `out_of_orderness`, `ahead` and `idle`, for any source.
std::vector<Option> event_time_options();
/// The option `alignment`, for a source whose reader can hold splits back.
Option alignment_option();
/// `config` is a source's, with those options; `schema` is what it gives.
EventTime parse_event_time(const Config& config, const Schema& schema, Diagnostics& diagnostics);

}  // namespace huiliu::runtime
