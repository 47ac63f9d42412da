#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/component/figure.h"
#include "runtime/engine/input_progress.h"

namespace huiliu::runtime {

/// How many durations lay at or below each of a few bounds.
class DurationHistogram {
 public:
  /// In seconds.
  static constexpr std::array<double, 14> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                     0.25,  0.5,    1,     2.5,  10,    60,   600};

  void add(double seconds);
  /// Of kBounds, not cumulative; the last is of those beyond all bounds.
  const std::array<std::uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  double sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
};

/// Counted since the engine was opened.
struct NodeFigures {
  std::vector<std::uint64_t> sent;  ///< per output
  /// Rejects by code. A script may make up codes, so beyond kMostCodes they count as "other".
  std::map<std::string, std::uint64_t> codes;
  static constexpr std::size_t kMostCodes = 64;
  std::uint64_t written_bytes = 0;      ///< sinks: encoded
  std::uint64_t written_records = 0;    ///< sinks
  std::int64_t written_ms = 0;          ///< sinks: when they last took records, by the clock
  std::uint64_t undelivered = 0;        ///< store sinks: entries that wait in the outbox
  std::uint64_t undelivered_bytes = 0;  ///< and their records' bytes
  double busy_seconds = 0;  ///< of all threads in this node alone, estimated (SelfTimer)
};

struct EpochFigures {
  std::uint64_t number = 0;           ///< of the last that is committed
  std::int64_t committed_ms = 0;      ///< when, by the clock; 0: none was since the start
  DurationHistogram gather;           ///< from the last commit's end to the last slice's arrival
  DurationHistogram prepare;          ///< until files are durable
  DurationHistogram commit;           ///< until the backend has committed
  DurationHistogram from_arrival;     ///< of slices: from being read to being committed
  DurationHistogram from_event_time;  ///< of slices: from their latest event time to the commit
};

struct ThreadFigures {
  double idle_seconds = 0;     ///< waited for input
  double blocked_seconds = 0;  ///< waited for sinks and commits, which were behind
};

/// A component that cannot do its work for now.
struct Away {
  std::string why;
  std::int64_t since_ms = 0;  ///< by the clock
  std::uint64_t tries = 0;
};

/// What a run says of itself, as of a commit.
struct RunFigures {
  std::int64_t opened_ms = 0;
  std::vector<SourceProgress> input;
  std::vector<std::int64_t> times;  ///< watermarks by node; kNoEventTime where there is none
  std::vector<NodeFigures> nodes;
  double engine_busy_seconds = 0;  ///< of all threads between nodes, estimated as theirs
  EpochFigures epochs;
  std::uint64_t slice_bytes = 0;  ///< memory of slices, in use and kept for the next ones
  std::vector<Figure> backend;
};

}  // namespace huiliu::runtime
