#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/component/source.h"

namespace huiliu::service {

/// A field whose value a step set or changed; no text = null or not there.
struct TraceChange {
  std::string field;
  std::optional<std::string> before, after;
};

/// runtime::Reject, kept.
struct TraceReject {
  std::string code, field, value, rule, message_en, message_zh;
};

/// What left a step by one or several of its outputs.
struct TraceOutput {
  std::vector<std::string> streams;  ///< "check", "compare.history"
  std::vector<TraceChange> changes;  ///< against the step's input
  std::vector<std::string> removed;  ///< fields with a value that are not in the output
};

struct TraceOrigin {
  std::string file;
  std::uint64_t row = 0;
  bool operator==(const TraceOrigin&) const = default;
};

enum class TraceResult { kRead, kMade, kPassed, kRejected, kDropped, kKept, kWritten };

/// A node that the record came through.
struct TraceStep {
  std::string node, type;
  std::string input;  ///< the stream; empty for a source
  TraceResult result = TraceResult::kPassed;
  std::vector<TraceOutput> outputs;
  std::optional<TraceReject> reject;
  std::string dropped_why;
  bool decides_by_key = false;           ///< compares with earlier records of the same key
  std::optional<TraceOrigin> earlier;    ///< the record that held the key before
  std::vector<TraceChange> key_input;    ///< the values that came in, if it decides by key
  bool compared = false;                 ///< `differences` says all that differs
  std::vector<TraceChange> differences;  ///< earlier record's value, this one's
};

/// The way of one record, in the order in which it went. Owns all of its text.
struct Trace {
  TraceOrigin origin;  ///< file empty: made from state, see the first step
  std::optional<runtime::RecordPlace> place;
  std::vector<TraceChange> read;  ///< fields with a value as they came in
  std::vector<TraceStep> steps;   ///< the first is the source, or the operator that made the record

  const TraceStep* rejecting_step() const;
  const TraceStep* dropping_step() const;
  /// A step that compared the record with earlier ones and sent it by side outputs only.
  const TraceStep* diverting_step() const;
};

}  // namespace huiliu::service
