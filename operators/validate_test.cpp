#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Row;

/// Code of the reject that one rule gives a row of fields a, b, c; "ok" if it passes.
std::string judged(const std::string& rule, const Row& row, const std::string& table = "") {
  Harness harness("type: validate\nrules:\n  - {id: r, " + rule + "}\n", "a, b, c, n: int64");
  harness.file("table.csv", table);
  harness.push(row);
  const auto rejects = harness.take("rejects", {"reject_code", "reject_field"});
  if (!rejects.empty()) return rejects.front();
  return harness.take().size() == 1 ? "ok" : "lost";
}

TEST(ValidateTest, JudgesPresenceAndValues) {
  EXPECT_EQ(judged("check: required, fields: [a, b]", {{"a", "x"}, {"b", ""}}), "E101_MISSING|b");
  EXPECT_EQ(judged("check: required, fields: [a, n]", {{"a", "x"}, {"n", "0"}}), "ok");
  EXPECT_EQ(judged("check: absent, field: a", {{"a", "x"}}), "E403_PARTY_FIELDS|a");
  EXPECT_EQ(judged("check: absent, field: a", {{"a", ""}}), "ok");
  EXPECT_EQ(judged("check: one_of, field: a, values: [x, y]", {{"a", "y"}}), "ok");
  EXPECT_EQ(judged("check: one_of, field: a, values: [x, y]", {}), "E301_NOT_IN_TABLE|a");
  EXPECT_EQ(judged("check: max_length, field: a, length: 2", {{"a", "龙岩"}}), "ok");
  EXPECT_EQ(judged("check: max_length, field: a, length: 2", {{"a", "龙岩市"}}), "E203_LENGTH|a");
  EXPECT_EQ(judged("check: positive, field: n", {{"n", "0"}}), "E208_AMOUNT_FORMAT|n");
  EXPECT_EQ(judged("check: positive, field: a", {{"a", "0.200000"}}), "ok");
  EXPECT_EQ(judged("check: positive, field: a", {{"a", "2元"}}), "E208_AMOUNT_FORMAT|a");
}

TEST(ValidateTest, JudgesCodes) {
  EXPECT_EQ(judged("check: uscc, field: a", {{"a", "91350100M000100Y43"}}), "ok");
  EXPECT_EQ(judged("check: uscc, field: a", {{"a", "91350100M000100Y44"}}), "E202_CHECK_DIGIT|a");
  EXPECT_EQ(judged("check: uscc, field: a", {{"a", "91350100M000100Y4"}}), "E203_LENGTH|a");
  EXPECT_EQ(judged("check: uscc, field: a", {{"a", "9135O100M000100Y43"}}), "E204_CHARSET|a");
  EXPECT_EQ(judged("check: uscc, field: a", {}), "ok");
  EXPECT_EQ(judged("check: uscc, field: a, blank: true", {}), "E203_LENGTH|a");
  EXPECT_EQ(judged("check: uscc, field: a, check_digit_only: true", {{"a", "1"}}), "E203_LENGTH|a");
  EXPECT_EQ(judged("check: org_code, field: a", {{"a", "D21435690"}}), "E202_CHECK_DIGIT|a");
  EXPECT_EQ(judged("check: registration_number, field: a", {{"a", "110108000000016"}}), "ok");
  EXPECT_EQ(judged("check: id_card, field: a", {{"a", "11010519490229002X"}}), "E209_BIRTHDATE|a");
  EXPECT_EQ(judged("check: id_card, field: a, code: bad_id_no", {{"a", "11010519491231002"}}),
            "bad_id_no|a");
  EXPECT_EQ(judged("check: uscc_head, field: a, heads: ['92']", {{"a", "91350100M000100Y43"}}),
            "E405_USCC_CATEGORY|a");
}

TEST(ValidateTest, JudgesDocumentsByTheirType) {
  const std::string rule = "check: document, type_field: a, field: b";
  EXPECT_EQ(judged(rule, {{"a", "身份证"}, {"b", "11010519491231002X"}}), "ok");
  EXPECT_EQ(judged(rule, {{"a", "身份证"}, {"b", "110105194912310020"}}), "E202_CHECK_DIGIT|b");
  EXPECT_EQ(judged(rule, {{"a", "护照号"}, {"b", "!"}}), "E201_FORMAT|b");
  EXPECT_EQ(judged(rule, {{"a", "月票"}, {"b", "1"}}), "E301_NOT_IN_TABLE|a");
}

TEST(ValidateTest, JudgesDates) {
  const std::string order = "check: date_order, field: a, not_after: b";
  EXPECT_EQ(judged(order, {{"a", "2019-03-05"}, {"b", "2019-03-05"}}), "ok");
  EXPECT_EQ(judged(order, {{"a", "2019-03-06"}, {"b", "2019-03-05"}}), "E401_DATE_ORDER|a");
  // The harness's clock says 2020-01-01, 08:00 in China.
  EXPECT_EQ(judged("check: not_future, field: a", {{"a", "2020-01-01"}}), "ok");
  EXPECT_EQ(judged("check: not_future, field: a", {{"a", "2020-01-02"}}), "E402_DATE_IN_FUTURE|a");
}

TEST(ValidateTest, JudgesCodeTablesByTheDateOfTheRecord) {
  const std::string table =
      "code,valid_from,valid_to\n警告,,\n罚款,,\n通报批评,2021-07-15,\n旧类,,2021-07-14\n";
  const std::string rule =
      "check: table, field: a, table: table.csv, date: b, separator: ;, other_prefix: 其他-";
  EXPECT_EQ(judged(rule, {{"a", "警告;罚款"}, {"b", "2019-01-01"}}, table), "ok");
  EXPECT_EQ(judged(rule, {{"a", "罚款;通报批评"}, {"b", "2021-07-14"}}, table),
            "E301_NOT_IN_TABLE|a");
  EXPECT_EQ(judged(rule, {{"a", "通报批评"}, {"b", "2021-07-15"}}, table), "ok");
  EXPECT_EQ(judged(rule, {{"a", "旧类"}, {"b", "2021-07-15"}}, table), "E301_NOT_IN_TABLE|a");
  EXPECT_EQ(judged(rule, {{"a", "其他-训诫"}, {"b", "2021-07-15"}}, table), "ok");
}

TEST(ValidateTest, JudgesFieldsAgainstEachOther) {
  const std::string money = "check: contains_requires, field: a, contains: [罚款], requires: n";
  EXPECT_EQ(judged(money, {{"a", "警告;罚款"}}), "E404_AMOUNT_REQUIRED|n");
  EXPECT_EQ(judged(money, {{"a", "警告;罚款"}, {"n", "1"}}), "ok");
  EXPECT_EQ(judged(money, {{"a", "警告"}}), "ok");
  const std::string permitted = "check: permitted_source, source: a, field: b, table: table.csv";
  const std::string table = "source,authority\nS1,A1\nS2,*\n";
  EXPECT_EQ(judged(permitted, {{"a", "S1"}, {"b", "A1"}}, table), "ok");
  EXPECT_EQ(judged(permitted, {{"a", "S1"}, {"b", "A2"}}, table), "E701_NOT_PERMITTED|b");
  EXPECT_EQ(judged(permitted, {{"a", "S2"}, {"b", "A2"}}, table), "ok");
  EXPECT_EQ(judged(permitted, {{"a", "A2"}, {"b", "A2"}}, table), "ok");
  EXPECT_EQ(judged("check: never, field: b, when: {a: x, present: b}", {{"a", "x"}, {"b", "y"}}),
            "E403_PARTY_FIELDS|b");
}

TEST(ValidateTest, NamesEveryFaultByItsHeading) {
  Harness harness(
      "type: validate\nheadings: {table: h.csv, by: kind}\nrules:\n"
      "  - {id: a, check: required, field: a}\n"
      "  - {id: b, check: one_of, field: b, values: [x]}\n"
      "  - {id: b2, check: required, field: b}\n"
      "  - {id: c, check: max_length, field: c, length: 2, severity: warn}\n",
      "kind, a, b, c");
  harness.file("h.csv", "from,to,department\na,甲,\nb,乙一,k1\nb,乙二,k2\nc,丙,\n");
  harness.push({{"kind", "k2"}, {"c", "long"}});
  harness.push({{"kind", "k1"}, {"a", "1"}, {"b", "x"}, {"c", "long"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_field", "reject_message_zh"}),
              ElementsAre("E101_MISSING|a|甲：必填项缺失，请补填后重报；"
                          "乙二：取值不在规定范围内，请从代码表中选择"));
  EXPECT_THAT(harness.take("", {"warnings", "warnings_en", "warnings_zh"}),
              ElementsAre("W203_LENGTH|丙: the text is longer than allowed, compare it with the "
                          "licence or certificate|丙：内容超过规定长度，请核对位数后更正"));
}

TEST(ValidateTest, RefusesWhatAStepBeforeHandedOn) {
  Harness cleansing(
      "type: normalise\non_failure: carry\nfields:\n  - {field: d, as: date}\n"
      "  - {field: e, as: date}\n",
      "d, e");
  cleansing.push({{"d", "gestern"}, {"e", "2019-1-1"}});
  const std::string handed_on = cleansing.take("", {"warnings"}).front();
  Harness harness(
      "type: validate\nrules:\n  - {id: d, check: required, field: d}\n"
      "  - {id: e, check: required, field: e}\n",
      "d, e, warnings");
  harness.push({{"e", "2019-01-01"}, {"warnings", handed_on}});
  harness.push({{"warnings", handed_on}});
  harness.push({{"d", "2019-01-01"}, {"e", "2019-01-01"}, {"warnings", "W1"}});
  EXPECT_THAT(
      harness.take("rejects", {"reject_code", "reject_value", "reject_rule"}),
      ElementsAre("E201_FORMAT|gestern|normalise.d@1", "E201_FORMAT|gestern|normalise.d@1"));
  EXPECT_THAT(harness.take("", {"warnings"}), ElementsAre("W1"));
}

TEST(ValidateTest, TellsTheCodesOfTwoBodiesApart) {
  Harness harness("type: validate\nrules:\n  - {id: b, check: one_body, fields: [u, o, t]}\n",
                  "u, o, t");
  harness.push({{"u", "91350803MAGBQ59331"}, {"o", "MAGBQ5933"}, {"t", "350803MAGBQ5933"}});
  harness.push({{"u", "91350803MAGBQ59331"}, {"o", "M000100Y4"}});
  harness.push({{"o", "MAGBQ5933"}, {"t", "350802M000100Y4"}});
  harness.push({{"u", "91350803MAGBQ59331"}, {"t", "35080219000101001301"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_field"}),
              ElementsAre("E407_TWO_BODIES|o", "E407_TWO_BODIES|t"));
}

TEST(ValidateTest, SuspectsAmountsThatTheTextGivesInYuan) {
  Harness harness(
      "type: validate\nrules:\n  - {id: u, check: unit_of_text, field: a, text: t, severity: "
      "warn}\n",
      "a, t");
  for (const auto& [a, t] : {std::pair{"2000", "罚款2000元"},
                             {"2000.000000", "处罚款2,000元整"},
                             {"0.2", "罚款2000元"},
                             {"2000", "罚款2000万元"},
                             {"50", "没收50元，罚款300元"},
                             {"~", "罚款2000元"},
                             {"5", "五元"}}) {
    harness.push({{"a", a}, {"t", t}});
  }
  EXPECT_THAT(harness.take("", {"warnings"}),
              ElementsAre("W208_UNIT", "W208_UNIT", "~", "~", "W208_UNIT", "~", "~"));
}

TEST(ValidateTest, ConditionsMayBeRegularExpressions) {
  Harness harness(
      "type: validate\nrules:\n  - {id: r, check: never, field: r, when: {r: {matches: "
      "'[0-9]{6}[6-9].*'}}}\n",
      "r");
  harness.push({{"r", "350802600008884"}});
  harness.push({{"r", "350802100007779"}});
  EXPECT_THAT(harness.take("", {"r"}), ElementsAre("350802100007779"));
  EXPECT_THAT(
      Harness("type: validate\nrules:\n  - {id: r, check: never, when: {r: {matches: '('}}}\n", "r")
          .problems(),
      HasSubstr("regular expression"));
}

TEST(ValidateTest, LetsTheFirstBrokenRuleDecide) {
  Harness harness(
      "type: validate\nversion: 3\nrules:\n"
      "  - {id: one, check: required, field: a, when: {b: x}}\n"
      "  - {id: two, check: required, field: a, code: MY_CODE, message_zh: 请填写}\n",
      "a, b");
  harness.push({{"b", "x"}});
  harness.push({{"b", "y"}});
  EXPECT_THAT(
      harness.take("rejects",
                   {"reject_code", "reject_rule", "reject_message_en", "reject_message_zh"}),
      ElementsAre("E101_MISSING|one@3|a: a mandatory field is missing, fill it in and send the row "
                  "again|a：必填项缺失，请补填后重报",
                  "MY_CODE|two@3|a: a mandatory field is missing|a：请填写"));
}

TEST(ValidateTest, CollectsWarningsInAField) {
  Harness harness(
      "type: validate\nrules:\n"
      "  - {id: unit, check: unit_suspect, field: n, severity: warn}\n"
      "  - {id: odd, check: required, field: a, severity: warn, code: W_NO_A}\n",
      "a, n: int64");
  harness.push({{"n", "10001"}});
  harness.push({{"a", "x"}, {"n", "10000"}});
  EXPECT_THAT(harness.take("", {"warnings"}), ElementsAre("W208_UNIT_SUSPECT;W_NO_A", "~"));
}

TEST(ValidateTest, MasksNumbersOfPersons) {
  Harness harness("type: validate\nrules:\n  - {id: r, check: id_card, field: a, personal: true}\n",
                  "a");
  harness.push({{"a", "350802190001010010"}});
  EXPECT_THAT(harness.take("rejects", {"reject_value"}), ElementsAre("350802********0010"));
}

TEST(ValidateTest, TakesRulesFromAnIncludedFileWithItsVersion) {
  Harness harness("type: validate\nrules: !include rules.yaml\n", "a");
  harness.file("rules.yaml",
               "version: 2018.4\nrules:\n  - {id: r, check: table, field: a, table: t.csv}\n");
  harness.file("t.csv", "code\nx\n");
  harness.push({{"a", "y"}});
  EXPECT_THAT(harness.take("rejects", {"reject_rule"}), ElementsAre("r@2018.4"));
}

TEST(ValidateTest, ReportsEveryMistakeAtOnce) {
  const std::string problems = Harness(
                                   "type: validate\nrules:\n"
                                   "  - {id: r, check: requird, field: a}\n"
                                   "  - {id: s, check: required, field: aa, servity: warn}\n"
                                   "  - {id: s, check: table, field: a, table: none.csv}\n"
                                   "  - {id: t, check: uscc, field: n}\n",
                                   "a, n: int64")
                                   .problems();
  for (const char* part :
       {"no check 'requird'", "required", "no field 'aa'", "'servity'", "severity",
        "'s@1' is there twice", "cannot read the table", "'n' is int64"}) {
    EXPECT_THAT(problems, HasSubstr(part));
  }
}

}  // namespace
}  // namespace huiliu::operators
