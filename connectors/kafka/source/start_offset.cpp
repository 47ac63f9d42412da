#include "connectors/kafka/source/start_offset.h"

#include <algorithm>

#include "runtime/base/failpoint.h"

namespace huiliu::connectors::kafka {

using runtime::mutant;
using What = StartDecision::What;

namespace {

StartDecision at(std::int64_t offset) { return {.offset = offset}; }

/// An offset that somebody has committed, if the brokers have it or are about to have it.
StartDecision checked(std::int64_t offset, const OffsetRange& range, OnMissing rule) {
  if (offset >= range.begin && offset <= range.end) return at(offset);
  const Missing missing = offset > range.end ? Missing::kCut : Missing::kDeleted;
  return decide_missing(missing, offset, range, rule);
}

StartDecision go_on(const Position& committed, const OffsetRange& range, OnMissing rule) {
  std::int64_t offset = committed.next;
  if (mutant("kafka.reads_again")) offset = std::max(range.begin, offset - 500);
  if (mutant("kafka.reads_ahead")) offset = std::min(range.end, offset + 1);
  // Up to bare_to there were only marks of transactions: the brokers deleted nothing that was to be
  // read.
  const std::int64_t bare_to = mutant("kafka.marks_not_counted") ? -1 : committed.bare_to;
  if (offset < range.begin && range.begin <= bare_to) return at(range.begin);
  return checked(offset, range, rule);
}

}  // namespace

std::string_view text_of(Missing missing) {
  switch (missing) {
    case Missing::kNothing:
      break;
    case Missing::kDeleted:
      return "messages were deleted before they were read";
    case Missing::kCut:
      return "the topic was recreated or cut";
    case Missing::kRecreated:
      return "the message before it is not the one that was read: the topic was recreated";
  }
  return "";
}

StartDecision decide_start(const PartitionFacts& facts, const StartRules& rules) {
  if (facts.committed) return go_on(*facts.committed, facts.range, rules.on_missing);
  // The partition is younger than the choice of a start: nothing in it was there at that time.
  if (!facts.first || facts.seen_others) return at(facts.range.begin);
  StartDecision decision = at(facts.range.begin);
  decision.keep = rules.start != StartAt::kEarliest;
  switch (rules.start) {
    case StartAt::kEarliest:
      break;
    case StartAt::kLatest:
      decision.offset = facts.range.end;
      break;
    case StartAt::kCommitted:
      if (rules.has_group) decision.what = What::kAskGroup;
      break;
    case StartAt::kTime:
      decision.what = What::kAskTime;
      break;
  }
  return decision;
}

StartDecision decide_group_start(std::int64_t offset, const OffsetRange& range, OnMissing rule) {
  StartDecision decision = offset < 0 ? at(range.begin) : checked(offset, range, rule);
  decision.keep = true;
  return decision;
}

StartDecision decide_time_start(std::int64_t offset, const OffsetRange& range) {
  StartDecision decision = at(offset < 0 ? range.end : offset);
  decision.keep = true;
  return decision;
}

StartDecision decide_missing(Missing missing, std::int64_t wanted, const OffsetRange& range,
                             OnMissing rule) {
  StartDecision decision;
  decision.what = rule == OnMissing::kFail ? What::kRefuse : What::kOffset;
  decision.offset = rule == OnMissing::kLatest ? range.end : range.begin;
  decision.wanted = wanted;
  decision.missing = missing;
  return decision;
}

LastMessage decide_last_message(const PartitionFacts& facts, std::int64_t start) {
  LastMessage last;
  if (!facts.committed) return last;
  if (facts.committed->bare_to <= facts.range.end) last.bare_to = facts.committed->bare_to;
  if (facts.committed->next != start) return last;
  last.time = facts.committed->time;
  if (start > facts.range.begin) last.expected = last.time;
  return last;
}

}  // namespace huiliu::connectors::kafka
