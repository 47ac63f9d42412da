#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;

TEST(MapTest, SetsDerivesRenamesAndDropsFields) {
  Harness harness(
      "type: map\n"
      "set: {label: \"{a}/{n}\"}\n"
      "derive:\n"
      "  half: {expression: n / 2, type: float64}\n"
      "  a: 'a:upper() .. n'\n"
      "rename: {b: c}\n"
      "drop: [n]\n",
      "a, n: int64, b");
  harness.push({{"a", "x"}, {"n", "3"}, {"b", "y"}});
  EXPECT_THAT(harness.take(), ElementsAre("a=X3 c=y label=x/3 half=1.5"));
}

TEST(MapTest, WritesDatesInTextsAsPeopleDo) {
  Harness harness("type: map\nset: {label: \"{on}, {flag}\"}\n", "on: date, flag: bool");
  harness.push({{"on", "19000"}, {"flag", "true"}});
  EXPECT_THAT(harness.take(), ElementsAre("on=19000 flag=true label=2022-01-08, true"));
}

TEST(MapTest, KeepsOnlyTheNamedFieldsAndThoseMadeHere) {
  Harness harness("type: map\nkeep: [b]\nset: {d: x}\n", "a, b, c");
  harness.push({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_THAT(harness.take(), ElementsAre("b=2 d=x"));
}

TEST(MapTest, RejectsWhatDoesNotFitTheFieldAndKeepsTheRecordAsItCame) {
  Harness harness("type: map\nset: {b: x}\nderive: {n: n / 2}\n", "n: int64, b");
  harness.push({{"n", "3"}, {"b", "y"}});
  EXPECT_THAT(harness.take("rejects", {"n", "b", "reject_code", "reject_message_en"}),
              ElementsAre(HasSubstr("3|y|E901_SCRIPT|the expression: a number does not fit")));
  harness.push({{"n", "4"}, {"b", "y"}});
  EXPECT_THAT(harness.take(), ElementsAre("n=2 b=x"));
}

TEST(MapTest, WhatGoesIntoAJsonFieldIsOneJsonValue) {
  Harness harness(
      "type: map\nset: {j: \"{a}\"}\nderive:\n  k: {expression: b, type: json}\n"
      "  r: {expression: n and n / 0, type: float64}\n",
      "a, b, n: int64, j: json");
  harness.push({{"a", "[1]"}, {"b", "{}"}});
  harness.push({{"a", "1,\"evil\":2"}, {"b", "{}"}});
  harness.push({{"a", "1"}, {"b", "1 2"}});
  harness.push({{"a", "1"}, {"b", "1"}, {"n", "1"}});
  EXPECT_THAT(harness.take("", {"j", "k"}), ElementsAre("[1]|{}"));
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_message_en"}),
              ElementsAre(HasSubstr("E201_FORMAT|"), HasSubstr("E901_SCRIPT|"),
                          HasSubstr("E901_SCRIPT|the expression: what it gives is not a finite")));
}

TEST(MapTest, GivesNullForNil) {
  Harness harness("type: map\nderive: {c: a and b}\n", "a, b");
  harness.push({{"b", "x"}});
  EXPECT_THAT(harness.take("", {"c"}), ElementsAre("~"));
}

TEST(MapTest, ReportsMistakesWithTheirPlace) {
  const std::string problems = Harness(
                                   "type: map\n"
                                   "set: {x: \"{aa}\"}\n"
                                   "derive:\n  y: a +\n  z: bb\n"
                                   "rename: {a: b}\n"
                                   "drop: [q]\n",
                                   "a, b")
                                   .problems();
  for (const char* part :
       {"no field 'aa'", ":4:6: error: script:", "no field 'bb'", "no field 'q'"}) {
    EXPECT_THAT(problems, HasSubstr(part));
  }
  EXPECT_THAT(Harness("type: map\nrename: {a: b}\n", "a, b").problems(),
              HasSubstr("two fields would have the name 'b'"));
}

}  // namespace
}  // namespace huiliu::operators
