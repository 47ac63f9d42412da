#include "connectors/kafka/source/start_offset.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

using What = StartDecision::What;

constexpr OffsetRange kRange = {100, 200};

/// What `decide_start` makes of the facts: the whole table of starts.
struct Case {
  std::string name;
  PartitionFacts facts;
  StartRules rules;
  StartDecision decision;
};

PartitionFacts committed(std::int64_t next, std::int64_t bare_to = -1) {
  return {.committed = Position{.next = next, .time = 7, .bare_to = bare_to}, .range = kRange};
}

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const StartDecision decision = decide_start(one.facts, one.rules);
    EXPECT_EQ(static_cast<int>(decision.what), static_cast<int>(one.decision.what)) << one.name;
    EXPECT_EQ(decision.offset, one.decision.offset) << one.name;
    EXPECT_EQ(decision.wanted, one.decision.wanted) << one.name;
    EXPECT_EQ(text_of(decision.missing), text_of(one.decision.missing)) << one.name;
    EXPECT_EQ(decision.keep, one.decision.keep) << one.name;
  }
}

TEST(StartOffsetTest, APartitionWithoutAPositionStartsWhereTheOptionSays) {
  const PartitionFacts unknown = {.range = kRange};
  check({
      {"earliest", unknown, {.start = StartAt::kEarliest}, {.offset = 100}},
      {"latest", unknown, {.start = StartAt::kLatest}, {.offset = 200, .keep = true}},
      {"committed without a group", unknown, {}, {.offset = 100, .keep = true}},
      {"committed of a group",
       unknown,
       {.has_group = true},
       {.what = What::kAskGroup, .offset = 100, .keep = true}},
      {"a time",
       unknown,
       {.start = StartAt::kTime},
       {.what = What::kAskTime, .offset = 100, .keep = true}},
  });
}

TEST(StartOffsetTest, APartitionThatCameLaterIsReadFromItsBeginning) {
  const PartitionFacts found_later = {.range = kRange, .first = false};
  const PartitionFacts new_since_last_run = {.range = kRange, .seen_others = true};
  for (const StartAt start :
       {StartAt::kCommitted, StartAt::kEarliest, StartAt::kLatest, StartAt::kTime}) {
    check({{"found later", found_later, {.start = start, .has_group = true}, {.offset = 100}},
           {"new since the last run",
            new_since_last_run,
            {.start = start, .has_group = true},
            {.offset = 100}}});
  }
}

TEST(StartOffsetTest, ACommittedPositionGoesBeforeTheOptionStart) {
  PartitionFacts later = committed(150);
  later.first = false;
  PartitionFacts among_others = committed(150);
  among_others.seen_others = true;
  check({
      {"within", committed(150), {.start = StartAt::kLatest}, {.offset = 150}},
      {"the first message", committed(100), {.start = StartAt::kLatest}, {.offset = 100}},
      {"nothing new", committed(200), {.start = StartAt::kEarliest}, {.offset = 200}},
      {"found later", later, {}, {.offset = 150}},
      {"with other positions", among_others, {}, {.offset = 150}},
  });
}

TEST(StartOffsetTest, AMissingMessageIsTreatedByOnMissing) {
  struct Answer {
    OnMissing rule;
    What what;
    std::int64_t offset;
  };
  for (const Answer& answer : {Answer{OnMissing::kFail, What::kRefuse, 100},
                               Answer{OnMissing::kEarliest, What::kOffset, 100},
                               Answer{OnMissing::kLatest, What::kOffset, 200}}) {
    check({
        {"deleted",
         committed(99),
         {.on_missing = answer.rule},
         {answer.what, answer.offset, 99, Missing::kDeleted}},
        {"cut",
         committed(201),
         {.on_missing = answer.rule},
         {answer.what, answer.offset, 201, Missing::kCut}},
    });
    EXPECT_EQ(decide_missing(Missing::kRecreated, 150, kRange, answer.rule),
              (StartDecision{answer.what, answer.offset, 150, Missing::kRecreated}));
  }
}

TEST(StartOffsetTest, MarksOfTransactionsThatWereDeletedAreNotMissed) {
  check({
      {"only marks", committed(90, 100), {}, {.offset = 100}},
      {"more than marks", committed(90, 99), {}, {What::kRefuse, 100, 90, Missing::kDeleted}},
      {"marks that are there", committed(150, 160), {}, {.offset = 150}},
  });
}

TEST(StartOffsetTest, AGroupsOffsetIsCheckedAndKept) {
  EXPECT_EQ(decide_group_start(150, kRange, OnMissing::kFail),
            (StartDecision{.offset = 150, .keep = true}));
  EXPECT_EQ(decide_group_start(-1001, kRange, OnMissing::kFail),
            (StartDecision{.offset = 100, .keep = true}));
  EXPECT_EQ(decide_group_start(50, kRange, OnMissing::kFail),
            (StartDecision{What::kRefuse, 100, 50, Missing::kDeleted, true}));
  EXPECT_EQ(decide_group_start(250, kRange, OnMissing::kLatest),
            (StartDecision{What::kOffset, 200, 250, Missing::kCut, true}));
}

TEST(StartOffsetTest, ATimeWithoutAMessageStartsAtTheEnd) {
  EXPECT_EQ(decide_time_start(130, kRange), (StartDecision{.offset = 130, .keep = true}));
  EXPECT_EQ(decide_time_start(-1, kRange), (StartDecision{.offset = 200, .keep = true}));
}

TEST(StartOffsetTest, TheLastMessageIsComparedWhereItIsStillThere) {
  EXPECT_EQ(decide_last_message({.range = kRange}, 150), LastMessage{});
  EXPECT_EQ(decide_last_message(committed(150), 150), (LastMessage{7, 7, -1}));
  // The brokers have deleted it.
  EXPECT_EQ(decide_last_message(committed(100), 100), (LastMessage{7, kNoTime, -1}));
  // The start is elsewhere, by `on_missing`.
  EXPECT_EQ(decide_last_message(committed(250), 200), LastMessage{});
  EXPECT_EQ(decide_last_message(committed(150, 160), 150), (LastMessage{7, 7, 160}));
  // What is known of marks was known of another topic.
  EXPECT_EQ(decide_last_message(committed(150, 201), 150), (LastMessage{7, 7, -1}));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
