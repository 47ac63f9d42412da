#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Row;

constexpr const char* kYaml =
    "type: compare\n"
    "key: [k]\n"
    "version: [v, t]\n"
    "source: s\n"
    "priority: [A, B]\n"
    "withdrawn: {status: '2'}\n";
constexpr const char* kFields = "k, v: int64, t, s, text, status";

Row row(const std::string& text, const std::string& v, const std::string& t,
        const std::string& s = "A", const std::string& status = "1") {
  return {{"k", "1"}, {"v", v}, {"t", t}, {"s", s}, {"text", text}, {"status", status}};
}

/// Outcomes of rows of one key, in order.
std::string outcomes(const std::vector<Row>& rows) {
  Harness harness(kYaml, kFields);
  for (const Row& one : rows) harness.push(one);
  std::string result;
  for (const std::string& outcome : harness.take("outcomes", {"outcome"})) result += outcome + " ";
  return result;
}

TEST(CompareTest, TellsNewUpdatedStaleAndDuplicateByVersion) {
  EXPECT_EQ(outcomes({row("a", "1", "~"), row("a", "1", "~"), row("b", "2", "~"),
                      row("a", "1", "~"), row("c", "10", "~"), row("d", "9", "~")}),
            "ACCEPTED DUPLICATE UPDATED STALE UPDATED STALE ");
}

TEST(CompareTest, FallsBackToTheStampAndThenToTheOrderOfOneSource) {
  EXPECT_EQ(outcomes({row("a", "~", "2019-01-02"), row("b", "~", "2019-01-01"),
                      row("c", "5", "2019-01-03"), row("d", "~", "~"), row("e", "~", "2019")}),
            "ACCEPTED STALE UPDATED UPDATED UPDATED ");
}

TEST(CompareTest, SettlesEqualVersionsOfTwoSourcesByPriority) {
  EXPECT_EQ(outcomes({row("a", "1", "~", "B"), row("b", "1", "~", "C"), row("c", "1", "~", "A"),
                      row("d", "1", "~", "B")}),
            "ACCEPTED STALE UPDATED STALE ");
  EXPECT_EQ(outcomes({row("a", "1", "~", "X"), row("b", "1", "~", "Y"), row("a", "1", "~", "Y")}),
            "ACCEPTED CONFLICT DUPLICATE ");
}

TEST(CompareTest, WithdrawsAndReactivatesOnlyByANewerVersion) {
  EXPECT_EQ(outcomes({row("a", "1", "~"), row("a", "2", "~", "A", "2"), row("b", "1", "~"),
                      row("b", "2", "~"), row("b", "~", "~"), row("a", "2", "~", "A", "2"),
                      row("b", "3", "~"), row("a", "2", "~", "A", "2")}),
            "ACCEPTED WITHDRAWN STALE STALE STALE DUPLICATE REACTIVATED STALE ");
  EXPECT_EQ(outcomes({row("a", "1", "~", "A", "2"), row("a", "1", "~")}), "WITHDRAWN STALE ");
}

TEST(CompareTest, TakesTheVersionOfADuplicateAsKnown) {
  EXPECT_EQ(outcomes({row("a", "1", "~"), row("a", "3", "~"), row("b", "2", "~")}),
            "ACCEPTED DUPLICATE STALE ");
}

TEST(CompareTest, SendsCurrentVersionsHistoryAndConflictsToTheirOutputs) {
  Harness harness(kYaml, kFields);
  harness.push(row("a", "1", "~", "X"));
  harness.push(row("a", "1", "~", "X"));
  harness.push(row("b", "1", "~", "Y"));
  harness.push(row("c", "0", "~", "X"));
  harness.push(row("d", "2", "~", "X", "2"));
  EXPECT_THAT(harness.take("", {"text", "outcome"}), ElementsAre("a|ACCEPTED", "d|WITHDRAWN"));
  EXPECT_THAT(harness.take("history", {"text", "outcome"}),
              ElementsAre("a|ACCEPTED", "b|CONFLICT", "c|STALE", "d|WITHDRAWN"));
  EXPECT_THAT(harness.take("conflicts", {"text"}), ElementsAre("b"));
  EXPECT_THAT(harness.take("outcomes", {"text"}), ElementsAre("a", "a", "b", "c", "d"));
}

TEST(CompareTest, RemembersCurrentVersionsAcrossRestarts) {
  Harness harness(kYaml, kFields);
  harness.push(row("a", "1", "2019", "X"));
  harness.restart();
  harness.push(row("a", "1", "2019", "X"));
  harness.push(row("b", "1", "2018", "X"));
  harness.push(row("b", "1", "2019", "Y"));
  EXPECT_THAT(harness.take("outcomes", {"outcome"}),
              ElementsAre("ACCEPTED", "DUPLICATE", "STALE", "CONFLICT"));
}

TEST(CompareTest, RejectsRecordsWithoutAKey) {
  Harness harness(kYaml, kFields);
  harness.push({{"text", "a"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_field", "reject_message_zh"}),
              ElementsAre("E101_MISSING|k|业务主键各项均为空"));
}

TEST(CompareTest, ReportsMistakes) {
  EXPECT_THAT(Harness("type: compare\nkey: [q]\n", "k, text").problems(), HasSubstr("'q'"));
  EXPECT_THAT(Harness("type: compare\nkey: [k]\n", "k").problems(), HasSubstr("`content`"));
  EXPECT_THAT(Harness("type: compare\nkey: [k]\npriority: [a]\n", "k, text").problems(),
              HasSubstr("`source"));
}

}  // namespace
}  // namespace huiliu::operators
