#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;

std::string normalised(const std::string& how, const std::string& text) {
  Harness harness("type: normalise\nfields:\n  - {field: f, " + how + "}\n", "f");
  harness.push({{"f", text}});
  const auto done = harness.take("", {"f"});
  if (!done.empty()) return done.front();
  return harness.take("rejects", {"reject_code"}).at(0);
}

TEST(NormaliseTest, RunsStepsInOrder) {
  EXPECT_EQ(normalised("steps: [half_width, trim, upper]", "　９１ａＢ "), "91AB");
  EXPECT_EQ(normalised("steps: [half_width, trim, collapse_blanks]", " a \t　b c "), "a b c");
  EXPECT_EQ(normalised("steps: [trim]", "\t龙岩　"), "龙岩　");
  EXPECT_EQ(normalised("steps: [upper]", "岩AB"), "岩AB");
}

TEST(NormaliseTest, BringsSimpleDatesToIso) {
  for (const char* text : {"2020-2-29", "2020/02/29", "20200229", "2020年2月29日", "2020-02-29"}) {
    EXPECT_EQ(normalised("as: date_simple", text), "2020-02-29") << text;
  }
  for (const char* text : {"2019-2-29", "2019-13-01", "20190230", "2019-1-0"}) {
    EXPECT_EQ(normalised("as: date_simple", text), "E205_DATE_IMPOSSIBLE") << text;
  }
  for (const char* text : {"", "2019", "2019-1", "2019-1/2", "19-01-02", "2019-001-1", "2019年1月1",
                           "2019-1-1x", "201901011"}) {
    EXPECT_EQ(normalised("as: date_simple", text), "E201_FORMAT") << text;
  }
}

TEST(NormaliseTest, KnowsTheFormsThatDepartmentsSend) {
  EXPECT_EQ(normalised("as: date", "二〇一九年三月十五日"), "2019-03-15");
  EXPECT_EQ(normalised("as: date", "19-3-5"), "E206_DATE_AMBIGUOUS_YEAR");
  EXPECT_EQ(normalised("as: date", "长期"), "E207_DATE_OPEN_END");
  EXPECT_EQ(normalised("as: date, end: true", "长期"), "2099-12-31");
  EXPECT_EQ(normalised("as: date", "2019-02-29"), "E205_DATE_IMPOSSIBLE");
  EXPECT_EQ(normalised("as: date", "无"), "~");
  EXPECT_EQ(normalised("as: code", "ｄ2143569-x"), "D2143569X");
  EXPECT_EQ(normalised("as: name", "龙岩 某某(集团)公司"), "龙岩某某（集团）公司");
  EXPECT_EQ(normalised("as: doc_no", "岩市监罚字（2019）第012号"), "岩市监罚字〔2019〕12号");
  EXPECT_EQ(normalised("as: money_wan", "贰仟元整"), "0.200000");
  EXPECT_EQ(normalised("as: money_wan", "约两千元"), "E208_AMOUNT_FORMAT");
  EXPECT_EQ(normalised("as: money_wan", " "), "~");
  EXPECT_EQ(normalised("as: money_wan", "-"), "E208_AMOUNT_FORMAT");
  EXPECT_EQ(normalised("as: text", " ＡＢ　，c "), "AB ，c");
}

TEST(NormaliseTest, RejectsWithTheValueAsReceivedAndBothLanguages) {
  Harness harness(
      "type: normalise\nversion: 7\nfields:\n"
      "  - {field: decided_at, steps: [half_width, date_simple], code: bad_decided_at}\n",
      "decided_at");
  harness.push({{"decided_at", "２０１９-2-30"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_field", "reject_value", "reject_rule",
                                       "reject_message_en", "reject_message_zh"}),
              ElementsAre("bad_decided_at|decided_at|２０１９-2-30|normalise.decided_at@7|"
                          "there is no such day, or it lies before 1900 or after 2100|"
                          "日期不存在或超出1900至2100年的范围"));
}

TEST(NormaliseTest, SkipsAbsentFieldsAndStoresIntoAnother) {
  Harness harness("type: normalise\nfields:\n  - {field: f, steps: [upper], into: g}\n", "f");
  harness.push({});
  harness.push({{"f", "ab"}});
  EXPECT_THAT(harness.take("", {"f", "g"}), ElementsAre("~|~", "ab|AB"));
}

TEST(NormaliseTest, MakesAMatchKeyBesideTheName) {
  Harness harness("type: normalise\nfields:\n  - {field: f, as: name_key, into: key}\n", "f");
  harness.push({{"f", "ａｂｃ（中国）"}});
  harness.push({{"f", "无"}});
  EXPECT_THAT(harness.take("", {"f", "key"}), ElementsAre("ａｂｃ（中国）|ABC中国", "无|~"));
}

TEST(NormaliseTest, ReplacesSynonymsOfTheDepartmentFirst) {
  Harness harness(
      "type: normalise\nfields:\n"
      "  - {field: kind, steps: [trim], synonyms: kinds.csv, department: dept}\n",
      "kind, dept");
  harness.file("kinds.csv", "from,to,department\n企业,法人,\n企业,法人及非法人组织,D1\n");
  harness.push({{"kind", "企业 "}, {"dept", "D1"}});
  harness.push({{"kind", "企业"}, {"dept", "D2"}});
  harness.push({{"kind", "自然人"}, {"dept", "D2"}});
  EXPECT_THAT(harness.take("", {"kind"}), ElementsAre("法人及非法人组织", "法人", "自然人"));
}

TEST(NormaliseTest, AValueWithoutSynonymCanBeAbsent) {
  Harness harness(
      "type: normalise\nfields:\n"
      "  - {field: name, synonyms: codes.csv, unknown: absent, into: code}\n",
      "name");
  harness.file("codes.csv", "from,to\n市监局,11\n");
  harness.push({{"name", "市监局"}});
  harness.push({{"name", "税务局"}});
  EXPECT_THAT(harness.take("", {"name", "code"}), ElementsAre("市监局|11", "税务局|~"));
}

TEST(NormaliseTest, ReportsMistakesWithTheNearestWord) {
  const std::string problems =
      Harness("type: normalise\nfields:\n  - {field: ff, steps: [trimm], synonyms: no.csv}\n",
              "f, n: int64")
          .problems();
  EXPECT_THAT(problems, HasSubstr("no field 'ff'"));
  EXPECT_THAT(problems, HasSubstr("no step 'trimm'"));
  EXPECT_THAT(problems, HasSubstr("cannot read the table"));
}

}  // namespace
}  // namespace huiliu::operators
