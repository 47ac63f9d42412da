#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;

constexpr const char* kYaml =
    "type: decide\ntable: t.csv\ndate: day\n"
    "match: {kind: kind, words: {contains: text}, least: {at_least: amount}}\n"
    "set: {class: class}\nadd_months: {ends: {to: day, months: months}}\n"
    "codes: {words: codes.csv}\n";
constexpr const char* kFields = "kind, day, text, amount";
constexpr const char* kHeader = "kind,words,least,valid_from,valid_to,class,months\n";
constexpr const char* kCodes = "code\n吊销许可证\n罚款\n警告\n";

std::string problems(const std::string& rows) {
  Harness harness(kYaml, kFields);
  harness.file("codes.csv", kCodes).file("t.csv", kHeader + rows);
  return harness.problems();
}

TEST(DecideTest, TakesTheFirstRowThatFits) {
  Harness harness(kYaml, kFields);
  harness.file("codes.csv", kCodes);
  harness.file("t.csv", std::string(kHeader) +
                            "penalty,吊销|警告,,2024-01-01,,grave,36\n"
                            "penalty,,100,2024-01-01,,grave,36\n"
                            "penalty,罚款,,2024-01-01,,plain,1\n"
                            "penalty,罚款,,,2023-12-31,old,\n");
  const auto push = [&](const char* day, const char* text, const char* amount) {
    harness.push({{"kind", "penalty"}, {"day", day}, {"text", text}, {"amount", amount}});
  };
  push("2024-01-31", "罚款", "99.5");
  push("2024-01-31", "罚款", "100.000000");
  push("2024-01-31", "罚款；吊销营业执照", "~");
  push("2023-12-31", "罚款", "500");
  push("2024-01-31", "通报", "~");
  harness.push({{"kind", "licence"}, {"day", "2024-01-31"}, {"text", "警告"}});
  EXPECT_THAT(harness.take("", {"class", "ends"}),
              ElementsAre("plain|2024-02-29", "grave|2027-01-31", "grave|2027-01-31", "old|~",
                          "~|~", "~|~"));
}

TEST(DecideTest, AnAmountWhoseUnitIsInDoubtReachesNothing) {
  std::string yaml = kYaml;
  yaml.replace(yaml.find("{at_least: amount}"), 18, "{at_least: amount, text: text}");
  Harness harness(yaml, kFields);
  harness.file("codes.csv", kCodes);
  harness.file("t.csv", std::string(kHeader) + "penalty,,100,,,grave,36\npenalty,,,,,plain,1\n");
  const auto push = [&](const char* text, const char* amount) {
    harness.push({{"kind", "penalty"}, {"day", "2024-01-31"}, {"text", text}, {"amount", amount}});
  };
  push("罚款100万元", "100.000000");
  push("罚款2000元", "2000.000000");
  push("罚款", "20000.000000");
  EXPECT_THAT(harness.take("", {"class"}), ElementsAre("grave", "plain", "plain"));
}

TEST(DecideTest, SaysWhatIsWrongWithTheTable) {
  EXPECT_EQ(problems("penalty,警告,,,,a,1\n"), "");
  EXPECT_THAT(problems("penalty,警告,,2024-02-30,,a,1\n"), HasSubstr("t.csv:2"));
  EXPECT_THAT(problems("penalty,警告,,2024-02-02,2024-02-01,a,1\n"), HasSubstr("comes after"));
  EXPECT_THAT(problems("penalty,警告,x,,,a,1\n"), HasSubstr("'x' is no number"));
  EXPECT_THAT(problems("penalty,警告,,,,a,x\n"), HasSubstr("'x' is no number of months"));
  EXPECT_THAT(problems("penalty,拘留,,,,a,1\n"), HasSubstr("'拘留' is in no code"));
  EXPECT_THAT(problems("penalty,警告,,,2023-12-31,a,1\npenalty,警告,,2024-01-02,,a,1\n"),
              HasSubstr("t.csv:3: error: nothing is in force between 2023-12-31"));
  EXPECT_THAT(problems("penalty,警告,,,2024-01-01,a,1\npenalty,警告,,2024-01-01,,a,1\n"),
              HasSubstr("still in force"));
}

}  // namespace
}  // namespace huiliu::operators
