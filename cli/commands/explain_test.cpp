#include <regex>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "cli/command.h"

namespace huiliu::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTopology = "topologies/credit/topology.yaml";

struct Ran {
  int code = -1;
  std::string out, error;
};

Ran explain(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"explain", kTopology});
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  Ran ran;
  CLI::App app("", "huiliu");
  add_commands(app, ran.code);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError&) {
    ran.code = kUsage;
  }
  ran.out = testing::internal::GetCapturedStdout();
  ran.error = testing::internal::GetCapturedStderr();
  return ran;
}

TEST(Explain, ShowsARejectWithMessagesInBothLanguages) {
  const Ran ran = explain({"--at", "03_jtys_licence_2018.csv:12"});
  EXPECT_EQ(ran.code, kSuccess);
  EXPECT_THAT(ran.out, HasSubstr("(line 文件行号 13)"));
  EXPECT_THAT(ran.out, HasSubstr("E202_CHECK_DIGIT  by 节点 check"));
  EXPECT_THAT(ran.out, HasSubstr("the check digit is wrong"));
  EXPECT_THAT(ran.out, HasSubstr("校验码错误"));
}

TEST(Explain, AlignsChineseText) {
  const Ran ran = explain({"--at", "01_scjg_licence_2018.ndjson:13", "--lang", "en"});
  EXPECT_THAT(ran.out,
              HasSubstr("decided_on   二〇一九年五月三十日                  →  2019-05-30"));
  EXPECT_THAT(ran.out, HasSubstr("status       1                                     →  有效"));
  EXPECT_THAT(ran.out,
              HasSubstr("same key as the earlier record  01_scjg_licence_2018.ndjson row 6"));
}

TEST(Explain, MasksNumbersOfPeopleUnlessTold) {
  const Ran masked = explain({"--at", "03_jtys_licence_2018.csv:12"});
  EXPECT_THAT(masked.out, HasSubstr("350822********2321"));
  EXPECT_THAT(masked.out, Not(testing::ContainsRegex("350822[0-9]{8}2321")));
  const Ran revealed = explain({"--at", "03_jtys_licence_2018.csv:12", "--reveal"});
  EXPECT_THAT(revealed.out, testing::ContainsRegex("350822[0-9]{8}2321"));
}

TEST(Explain, SpeaksOneLanguageOnly) {
  const Ran chinese = explain({"--at", "03_jtys_licence_2018.csv:12", "--lang", "zh"});
  EXPECT_THAT(chinese.out, HasSubstr("退回"));
  EXPECT_THAT(chinese.out, Not(HasSubstr("REJECTED  ")));
  // Faults as programs read them are in both.
  EXPECT_THAT(std::regex_replace(chinese.out, std::regex("reject_faults.*"), ""),
              Not(HasSubstr("check digit")));
}

TEST(Explain, ShowsSheetAndRowOfAWorkbook) {
  const Ran ran = explain({"--at", "05_zjj_licence_2018.xlsx:数据:10", "--lang", "en"});
  EXPECT_EQ(ran.code, kSuccess);
  EXPECT_THAT(ran.out, HasSubstr("(sheet \"数据\", row of the sheet 11)"));
  EXPECT_THAT(ran.out, HasSubstr("SET ASIDE  by compare"));
  EXPECT_THAT(ran.out, HasSubstr("compare: outcome = STALE"));
}

TEST(Explain, SaysWhichSheetIsRead) {
  const Ran ran = explain({"--at", "05_zjj_licence_2018.xlsx:Sheet2:10"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.error, HasSubstr("the sheet '数据' is read, not 'Sheet2'"));
}

TEST(Explain, SaysWhatIsNearestToARowThatIsNotThere) {
  const Ran ran = explain({"--at", "05_zjj_licence_2018.xlsx:99"});
  EXPECT_EQ(ran.code, kFailed);
  EXPECT_THAT(ran.error, HasSubstr("has no row 99; 17 rows were read of it, 1 to 17, the nearest "
                                   "is row 17"));
  const Ran file = explain({"--at", "05_zjj_licence_2019.xlsx:1"});
  EXPECT_EQ(file.code, kFailed);
  EXPECT_THAT(file.error, HasSubstr("did you mean '05_zjj_licence_2018.xlsx'?"));
}

TEST(Explain, WritesJson) {
  const Ran ran = explain({"--where", "outcome=DUPLICATE", "--where", "kind=licence", "--json"});
  EXPECT_EQ(ran.code, kSuccess);
  rapidjson::Document document;
  document.Parse(ran.out.c_str());
  ASSERT_FALSE(document.HasParseError());
  const auto& records = document["records"];
  ASSERT_EQ(records.Size(), 5u);
  EXPECT_STREQ(records[0]["verdict"].GetString(), "set_aside");
  EXPECT_STREQ(records[0]["file"].GetString(), "01_scjg_licence_2018.ndjson");
  const Ran none = explain({"--where", "outcome=NONE", "--json"});
  EXPECT_EQ(none.code, kFailed);
  EXPECT_THAT(none.out, HasSubstr("\"records\": []"));
  EXPECT_THAT(none.out, HasSubstr("\"message\": "));
}

TEST(Explain, KeepsToTheLimit) {
  const Ran ran = explain({"--where", "outcome=DUPLICATE", "--limit", "2", "--lang", "en"});
  std::size_t records = 0;
  for (std::size_t at = 0; (at = ran.out.find("SET ASIDE", at)) != std::string::npos; ++at) {
    ++records;
  }
  EXPECT_EQ(records, 2u);
}

TEST(Explain, RefusesWrongArguments) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"--at", "a.csv"},
                                             {"--at", "a.csv:0"},
                                             {"--where", "outcome"},
                                             {"--where", "outcom=X"},
                                             {"--at", "a.csv:1", "--where", "outcome=X"},
                                             {"--at", "a.csv:1", "--lang", "fr"}}) {
    EXPECT_EQ(explain(arguments).code, kUsage);
  }
  EXPECT_THAT(explain({"--where", "outcom=X"}).error, HasSubstr("did you mean 'outcome'?"));
}

}  // namespace
}  // namespace huiliu::cli
