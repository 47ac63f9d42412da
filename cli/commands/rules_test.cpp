#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.h"
#include "operators/validate_checks.h"
#include "service/rules/check_words.h"

namespace huiliu::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCredit = "topologies/credit/topology.yaml";

std::string rules(const std::string& topology, const std::string& language) {
  int code = -1;
  CLI::App app("", "huiliu");
  add_commands(app, code);
  testing::internal::CaptureStdout();
  app.parse(std::vector<std::string>{language, "--lang", topology, "rules"});  // reversed
  std::string out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, kSuccess);
  return out;
}

class Rules : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
    write("headings.csv", "from,to,department\nnumber,文号,fine\nnumber,编号,\n");
    write("kinds.csv",
          "# By hand.\n# valid until: 2999-12-31\ncode,valid_from,valid_to\n"
          "a,2001-02-03,2004-05-06\nb,2004-05-07,\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  std::string page(const std::string& rule_file, const std::string& language) {
    write("rules.yaml", rule_file);
    write("topology.yaml",
          "topology: t\nrejects: bad\nsources:\n  lines: {type: file, path: in, pattern: "
          "[\"*.ndjson\"], "
          "fields: [{name: kind}, {name: number}, {name: day}]}\n"
          "operators:\n  check:\n    type: validate\n    input: lines\n"
          "    headings: {table: headings.csv, by: kind}\n    rules: !include rules.yaml\n"
          "sinks:\n  out: {type: file, input: check, path: out.ndjson, format: ndjson}\n"
          "  bad: {type: file, input: check.rejects, path: bad.ndjson, format: ndjson}\n");
    return rules((folder_ / "topology.yaml").string(), language);
  }

  std::filesystem::path folder_;
};

TEST_F(Rules, NamesFieldsByTheHeadingOfTheirKind) {
  const std::string text = page(
      "version: \"7\"\nrules:\n"
      "  - {id: one, check: required, field: number, when: {kind: fine}}\n"
      "  - {id: all, check: max_length, field: number, length: 9, severity: warn}\n",
      "zh");
  EXPECT_THAT(text, HasSubstr("| `one` | 文号 `number` | 必填 | `kind` = fine | 退回 | "
                              "E101_MISSING | 必填项缺失 | | |"));
  EXPECT_THAT(text, HasSubstr("| `all` | 编号 `number` | 不超过 9 个字符 | 总是 | 提示 |"));
}

TEST_F(Rules, ARulesOwnSourceGoesBeforeThatOfItsFile) {
  const std::string text = page(
      "version: \"7\"\nbasis: the standard\nsince: \"2018-01-01\"\nrules:\n"
      "  - {id: one, check: required, field: number}\n"
      "  - {id: two, check: not_future, field: day, basis: the law, since: \"2021-07-15\"}\n"
      "  - {id: three, check: not_future, field: day, basis: custom}\n",
      "en");
  EXPECT_THAT(text, HasSubstr("a mandatory field is missing | the standard | 2018-01-01 |"));
  EXPECT_THAT(text, HasSubstr("the date lies in the future | the law | 2021-07-15 |"));
  EXPECT_THAT(text, HasSubstr("the date lies in the future | custom | |"));
}

TEST_F(Rules, SaysOfATableWhereItComesFromAndUntilWhenItIsValid) {
  const std::string text = page(
      "version: \"7\"\nrules:\n"
      "  - {id: kind, check: table, field: kind, table: kinds.csv, date: day, separator: [\";\", "
      "\"、\"]}\n",
      "en");
  EXPECT_THAT(text, HasSubstr("stands in `kinds.csv`, in force on `day`; several are parted by "
                              "`;` `、` |"));
  EXPECT_THAT(text,
              HasSubstr("| `kinds.csv` | 2 | 2001-02-03 | 2004-05-07 | 2999-12-31 | `kind` |"));
  EXPECT_THAT(text, HasSubstr("> By hand.\n"));
}

TEST_F(Rules, SaysConditionsInWords) {
  const std::string text = page(
      "version: \"7\"\nrules:\n"
      "  - {id: one, check: never, field: kind, when: {absent: [kind, day], any: [{number: "
      "{starts_with: EI}}, {number: {starts_with: EO}}]}}\n",
      "en");
  EXPECT_THAT(text, HasSubstr("`kind`, `day` not given and (编号 `number` begins with EI or 编号 "
                              "`number` begins with EO)"));
}

TEST(RulesOfCredit, HaveEveryRowOfTheirDecisionsAndEverySource) {
  const std::string text = rules(kCredit, "zh");
  EXPECT_THAT(text, HasSubstr("| penalty | 警告\\|通报批评 | | 2026-04-01 | | 轻微 | 0 | 3 |"));
  EXPECT_THAT(text, HasSubstr("行政处罚法（2021）第九条"));
  EXPECT_THAT(text, HasSubstr("`tables/workdays.csv`"));
}

TEST(RulesOfCredit, HaveWordsForEveryCheck) {
  for (const std::string& check : operators::check_names()) {
    EXPECT_NE(service::check_words(check), nullptr) << check;
  }
}

}  // namespace
}  // namespace huiliu::cli
