#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using runtime::Change;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kNames = "type: join\nkey: dept\ntable_key: code\ntake: {dept_name: name}\n";

class JoinTest : public ::testing::Test {
 protected:
  JoinTest() {
    harness_.second("code, name, state");
    harness_.unread("unmatched");
  }
  std::vector<std::string> look_up(const std::string& dept) {
    harness_.push({{"id", "1"}, {"dept", dept}});
    return harness_.take("", {"dept_name"});
  }
  testing::Harness harness_{std::string(kNames) + "deleted: {state: closed}\n", "id, dept"};
};

TEST_F(JoinTest, ARecordGetsWhatTheTableSaysWhenItComes) {
  EXPECT_THAT(look_up("7"), ElementsAre("~"));
  harness_.push_to(1, {{"code", "7"}, {"name", "税务局"}});
  EXPECT_THAT(look_up("7"), ElementsAre("税务局"));
  harness_.push_to(1, {{"code", "7"}, {"name", "国家税务总局"}});
  EXPECT_THAT(look_up("7"), ElementsAre("国家税务总局"));
  EXPECT_THAT(look_up("8"), ElementsAre("~"));
}

TEST_F(JoinTest, TheTableIsThereAfterARestart) {
  harness_.push_to(1, {{"code", "7"}, {"name", "a"}});
  harness_.restart();
  EXPECT_THAT(look_up("7"), ElementsAre("a"));
}

TEST_F(JoinTest, ARowIsRemovedByItsConditionOrByAChange) {
  harness_.push_to(1, {{"code", "7"}, {"name", "a"}});
  harness_.push_to(1, {{"code", "7"}, {"name", "a"}, {"state", "closed"}});
  EXPECT_THAT(look_up("7"), ElementsAre("~"));
  harness_.push_to(1, {{"code", "8"}, {"name", "b"}});
  harness_.push_to(1, {{"code", "8"}, {"name", "b"}}, Change::kUpdateBefore);
  EXPECT_THAT(look_up("8"), ElementsAre("~"));
  harness_.push_to(1, {{"code", "8"}, {"name", "c"}}, Change::kUpdateAfter);
  EXPECT_THAT(look_up("8"), ElementsAre("c"));
}

TEST_F(JoinTest, ANullIsEqualToNothing) {
  harness_.push_to(1, {{"code", "~"}, {"name", "nobody"}});
  EXPECT_EQ(harness_.dropped(), 1u);
  EXPECT_THAT(look_up("~"), ElementsAre("~"));
}

TEST(JoinOutputTest, RecordsWithoutARowGoWhereSomebodyReadsThem) {
  testing::Harness harness(kNames, "id, dept");
  harness.second("code, name");
  harness.push_to(1, {{"code", "7"}, {"name", "a"}});
  harness.push({{"id", "1"}, {"dept", "7"}});
  harness.push({{"id", "2"}, {"dept", "8"}});
  EXPECT_THAT(harness.take(""), ElementsAre("id=1 dept=7 dept_name=a"));
  EXPECT_THAT(harness.take("unmatched"), ElementsAre("id=2 dept=8"));
}

TEST_F(JoinTest, RowsAreShownToPeople) {
  harness_.push_to(1, {{"code", "7"}, {"name", "a"}});
  EXPECT_THAT(harness_.rows(0), ElementsAre("dept_name=a"));
}

TEST_F(JoinTest, ADamagedRowEndsTheRun) {
  harness_.push_to(1, {{"code", "7"}, {"name", "a"}});
  harness_.damage(0, testing::without_end);
  EXPECT_NE(testing::damage_found([&] { look_up("7"); }), "");
}

std::string problems(std::string_view yaml) {
  testing::Harness harness(yaml, "id, dept, n: int64");
  harness.second("code, name, id, n: int64");
  return harness.problems();
}

TEST(JoinConfigTest, MistakesAreNamed) {
  EXPECT_EQ(problems(kNames), "");
  EXPECT_THAT(problems("type: join\nkey: dept\ntable_key: cod\ntake: [name]\n"),
              HasSubstr("there is no field 'cod'"));
  EXPECT_THAT(problems("type: join\nkey: dept\ntable_key: n\ntake: [name]\n"),
              HasSubstr("never equal"));
  EXPECT_THAT(problems("type: join\nkey: [dept, n]\ntable_key: code\ntake: [name]\n"),
              HasSubstr("`key` has 2 fields, and `table_key` has 1"));
  EXPECT_THAT(problems("type: join\nkey: dept\ntable_key: code\ntake: [id]\n"),
              HasSubstr("two fields 'id'"));
}

}  // namespace
}  // namespace huiliu::operators
