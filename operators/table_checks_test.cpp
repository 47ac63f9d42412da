#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using testing::Row;

std::string judged(const std::string& rule, const std::string& table, const Row& row,
                   const std::string& fields = "reject_code") {
  Harness harness("type: validate\nrules:\n  - {id: r, table: table.csv, " + rule + "}\n",
                  "a, b, c");
  harness.file("table.csv", table);
  harness.push(row);
  const auto rejects = harness.take("rejects", {fields});
  if (!rejects.empty()) return rejects.front();
  return harness.take().size() == 1 ? "ok" : "lost";
}

constexpr const char* kKinds =
    "code,valid_from,valid_to\n警告,,\n罚款,,\n没收违法所得、没收非法财物,,\n没收违法所得,,\n"
    "通报批评,2021-07-15,\n";

std::string kinds(const std::string& text, const std::string& day = "2020-01-01") {
  return judged(
      "check: table, field: a, date: b, separator: [;, ；, \",\", ，, 、], other_prefix: 其他-",
      kKinds, {{"a", text}, {"b", day}});
}

TEST(TableChecksTest, SeveralSeparatorsPartValues) {
  for (const char* text : {"警告；罚款", "警告 ; 罚款", "警告，罚款,警告", "警告、罚款；",
                           "罚款、没收违法所得、没收非法财物", "没收违法所得、没收非法财物;罚款",
                           "没收违法所得、罚款", " 罚款　"}) {
    EXPECT_EQ(kinds(text), "ok") << text;
  }
  for (const char* text :
       {"没收非法财物", "警告罚款", "警告；罚", "没收违法所得、没收非法财", "；"}) {
    EXPECT_EQ(kinds(text), "E301_NOT_IN_TABLE") << text;
  }
  EXPECT_EQ(kinds("罚款；通报批评", "2021-07-14"), "E301_NOT_IN_TABLE");
  EXPECT_EQ(kinds("罚款；通报批评", "2021-07-15"), "ok");
  EXPECT_EQ(kinds("罚款；通报批评", "2021-07-15 08:00:00"), "ok");
}

TEST(TableChecksTest, FreeTextFollowsAHyphenOfAnyKind) {
  for (const char* text : {"其他-备案", "其他－备案", "其他—备案", "其他——备案", "其他：备案",
                           "罚款；其他-责令改正，限期治理", "其他-责令改正；罚款"}) {
    EXPECT_EQ(kinds(text), "ok") << text;
  }
  for (const char* text : {"其他", "其他-", "其他－ ", "其他备案", "其他-；罚款"}) {
    EXPECT_EQ(kinds(text), "E301_NOT_IN_TABLE") << text;
  }
  // A value of the table that follows free text is judged again.
  EXPECT_EQ(kinds("其他-责令改正；通报批评"), "E301_NOT_IN_TABLE");
  // The standard's own separator ends free text for good.
  EXPECT_EQ(judged("check: table, field: a, separator: ;, other_prefix: 其他-", kKinds,
                   {{"a", "其他-训诫;罚"}}),
            "E301_NOT_IN_TABLE");
}

constexpr const char* kBodies =
    "code,name,valid_from,valid_to\n1,龙岩市生态环境局,2019-01-01,\n"
    "1,龙岩市环境保护局,,2019-12-31\n2,龙岩市税务局,,\n";

std::string body(const std::string& name, const std::string& code, const std::string& day) {
  return judged("check: name_of_code, field: a, code_field: b, date: c", kBodies,
                {{"a", name}, {"b", code}, {"c", day}});
}

TEST(TableChecksTest, NameIsThatOfItsCodeAtTheTime) {
  EXPECT_EQ(body("龙岩市环境保护局", "1", "2016-05-01"), "ok");
  EXPECT_EQ(body("龙岩市环境保护局", "1", "2019-12-31"), "ok");
  EXPECT_EQ(body("龙岩市环境保护局", "1", "2020-01-01"), "E406_AUTHORITY_NAME");
  EXPECT_EQ(body("龙岩市生态环境局", "1", "2019-06-01"), "ok");
  EXPECT_EQ(body("龙岩市生态环境局", "1", "2018-06-01"), "E406_AUTHORITY_NAME");
  EXPECT_EQ(body("龙岩市税务局", "1", "2020-01-01"), "E406_AUTHORITY_NAME");
  EXPECT_EQ(body("龙岩市税务局", "3", "2020-01-01"), "ok");  // a code of another city
  EXPECT_EQ(body("", "1", "2020-01-01"), "ok");
  EXPECT_EQ(body("龙岩市税务局", "", "2020-01-01"), "ok");
  EXPECT_EQ(body("龙岩市环境保护局", "1", ""), "ok");
}

TEST(TableChecksTest, NameOfAnotherBodyIsToldWhoseCodeItIs) {
  const std::string rule = "check: name_of_code, field: a, code_field: b";
  const Row row = {{"a", "龙岩市税务局"}, {"b", "1"}};
  EXPECT_THAT(judged(rule, kBodies, row, "reject_message_en"),
              HasSubstr("龙岩市生态环境局, 龙岩市环境保护局 (-2019-12-31)"));
  EXPECT_THAT(judged(rule, kBodies, row, "reject_message_zh"), HasSubstr("请更正名称或代码"));
  EXPECT_EQ(judged(rule, kBodies, row, "reject_field"), "a");
  Harness harness(
      "type: validate\nrules:\n  - {id: r, table: t.csv, severity: warn, " + rule + "}\n", "a, b");
  harness.file("t.csv", kBodies);
  harness.push(row);
  EXPECT_THAT(harness.take("", {"warnings"}), ElementsAre("W406_AUTHORITY_NAME"));
}

TEST(TableChecksTest, PermissionsHaveDays) {
  const std::string table = "source,authority,valid_from,valid_to\nS,A,,2020-12-31\n";
  const std::string rule = "check: permitted_source, source: a, field: b, date: c";
  EXPECT_EQ(judged(rule, table, {{"a", "S"}, {"b", "A"}, {"c", "2020-12-31"}}), "ok");
  EXPECT_EQ(judged(rule, table, {{"a", "S"}, {"b", "A"}, {"c", "2021-01-01"}}),
            "E701_NOT_PERMITTED");
}

// The Spring Festival of 2019, with two Saturdays that work.
constexpr const char* kDays =
    "# valid until: 2299-12-31\ndate,kind\n2019-02-02,workday\n2019-02-03,workday\n"
    "2019-02-04,holiday\n2019-02-05,holiday\n2019-02-06,holiday\n2019-02-07,holiday\n"
    "2019-02-08,holiday\n";

std::string days(const std::string& field, const std::string& after) {
  return judged("check: working_days, field: a, after: b, days: 7", kDays,
                {{"a", field}, {"b", after}});
}

TEST(TableChecksTest, CountsWorkingDays) {
  EXPECT_EQ(days("2019-02-11", "2019-01-28"), "ok");
  EXPECT_EQ(days("2019-02-11 23:59:59", "2019-01-28"), "ok");
  EXPECT_EQ(days("2019-02-12", "2019-01-28"), "E501_OVERDUE");
  EXPECT_EQ(days("2019/2/12 8:00:00", "2019年1月28日"), "E501_OVERDUE");
  EXPECT_EQ(days("2019-01-01", "2019-01-28"), "ok");
  EXPECT_EQ(days("", "2019-01-28"), "ok");
  EXPECT_EQ(days("soon", "2019-01-28"), "ok");
  EXPECT_EQ(days("2300-01-01", "2299-12-31"), "E502_NO_WORKDAYS");
}

TEST(TableChecksTest, WorkCalendarMustCoverToday) {
  Harness harness(
      "type: validate\nrules:\n"
      "  - {id: r, check: working_days, field: a, after: b, days: 0, table: t.csv}\n",
      "a, b");
  harness.file("t.csv", "# renew: by hand\ndate,kind\n2019-01-01,holiday\n");
  EXPECT_THAT(harness.problems(), HasSubstr("was valid until 2019-01-01, today is "));
  EXPECT_THAT(harness.problems(), HasSubstr("replace the table by hand"));
  EXPECT_THAT(harness.problems(), HasSubstr("the check needs `days: WORKING_DAYS`"));
}

}  // namespace
}  // namespace huiliu::operators
