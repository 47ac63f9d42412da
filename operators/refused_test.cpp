#include "operators/refused.h"

#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Row;

constexpr const char* kYaml = "type: refused\nkey: [file, row]\n";
constexpr const char* kFields = "file, row: int64, outcome, code, rule";
constexpr std::size_t kRows = 0, kVerdicts = 1;

Row verdict(const std::string& row, const std::string& outcome, const std::string& rule = "r@1") {
  const bool rejected = outcome == "REJECTED";
  return {{"file", "a.csv"},
          {"row", row},
          {"outcome", outcome},
          {"code", rejected ? "E1" : ""},
          {"rule", rejected ? rule : ""}};
}

TEST(RefusedTest, KnowsWhichRowsAreRefused) {
  Harness harness(kYaml, kFields);
  harness.push(verdict("1", "REJECTED"));
  harness.push(verdict("2", "ACCEPTED"));
  harness.push(verdict("3", "REJECTED", "s@2"));
  EXPECT_THAT(harness.rows(kRows), ElementsAre("file=test row=1 code=E1 rule=r@1 rejudgement=0",
                                               "file=test row=3 code=E1 rule=s@2 rejudgement=0"));
  EXPECT_THAT(harness.rows(kVerdicts), IsEmpty());
  EXPECT_THAT(harness.take(), IsEmpty());
}

TEST(RefusedTest, OtherVerdictsTakeARowOutInARejudgementOnly) {
  Harness harness(kYaml, kFields);
  harness.push(verdict("1", "REJECTED"));
  harness.push(verdict("2", "REJECTED"));
  harness.push_again(1, verdict("1", "ACCEPTED"));
  EXPECT_THAT(harness.rows(kRows), ::testing::SizeIs(2));
  harness.restart();
  harness.rejudge(1);
  harness.push_again(1, verdict("1", "UPDATED"));
  harness.push_again(2, verdict("2", "REJECTED", "s@2"));
  EXPECT_THAT(harness.rows(kRows), ElementsAre("file=test row=2 code=E1 rule=s@2 rejudgement=1"));
  EXPECT_THAT(harness.take(), ElementsAre("file=a.csv row=1"));
}

TEST(RefusedTest, ADamagedStateIsNamedWithItsTable) {
  Harness harness(kYaml, kFields);
  harness.rejudge(1);
  harness.push(verdict("1", "REJECTED"));
  harness.damage(kVerdicts, testing::without_end);
  EXPECT_THAT(testing::damage_found([&] { harness.push(verdict("1", "REJECTED")); }),
              HasSubstr("table verdicts"));
}

TEST(RefusedTest, CountsTheVerdictsOfARejudgement) {
  Harness harness(kYaml, kFields);
  for (const char* row : {"1", "2"}) harness.push(verdict(row, "REJECTED"));
  harness.restart();
  harness.rejudge(1);
  harness.push_again(1, verdict("1", "REJECTED"));
  harness.restart();
  harness.push_again(2, verdict("1", "REJECTED"));
  EXPECT_THAT(harness.rows(kVerdicts), ElementsAre("outcome=REJECTED rejudgement=1 count=2"));
  harness.restart();
  harness.rejudge(2);
  harness.push_again(2, verdict("1", "REJECTED"));
  EXPECT_THAT(harness.rows(kVerdicts), ElementsAre("outcome=REJECTED rejudgement=2 count=1"));
}

TEST(RefusedTest, TwoDeliveriesOfOneNameAreTwoRows) {
  Harness harness(kYaml, kFields);
  harness.push(verdict("1", "REJECTED"));
  harness.push(verdict("1", "REJECTED"));
  EXPECT_THAT(harness.rows(kRows), ::testing::SizeIs(2));
}

TEST(RefusedTest, ReadsAnyBytes) {
  RefusedRow row{3, 77, "a.csv", 5, "E1", "r@1"};
  const std::string bytes = row.to_bytes();
  const auto read = RefusedRow::parse(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->partition, "a.csv");
  EXPECT_EQ(read->rule, "r@1");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(RefusedRow::parse(std::string_view(bytes).substr(0, size)));
  }
  EXPECT_FALSE(RefusedRow::parse(bytes + "x"));
  EXPECT_FALSE(VerdictCount::parse("short"));
}

TEST(RefusedTest, WantsTheFieldsThatItReads) {
  EXPECT_THAT(Harness(kYaml, "file, row: int64, outcome, code").problems(), HasSubstr("rule"));
}

}  // namespace
}  // namespace huiliu::operators
