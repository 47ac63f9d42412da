#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kYaml = "type: count\nkey: [dept]\nsum: n\n";

TEST(CountTest, TakesBackWhatWasCounted) {
  Harness harness(
      "type: count\nkey: [k]\nsum: n\nretract: {change: delete}\nwhere: {big: {n: {more_than: "
      "5}}}\n",
      "k, n: int64, change");
  harness.push({{"k", "a"}, {"n", "9"}, {"change", "insert"}});
  harness.push({{"k", "a"}, {"n", "2"}, {"change", "insert"}});
  harness.push({{"k", "b"}, {"n", "7"}, {"change", "insert"}});
  harness.restart();
  harness.push({{"k", "a"}, {"n", "9"}, {"change", "delete"}});
  harness.push({{"k", "b"}, {"n", "7"}, {"change", "delete"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take("", {"k", "count", "sum", "big"}),
              ElementsAre("a|2|11|1", "b|1|7|1", "a|1|2|0", "b|0|0|0"));
}

TEST(CountTest, ASumOfRealsDoesNotDependOnWhereEpochsEnd) {
  std::vector<std::string> sums;
  for (const int every : {1, 3, 7, 1000}) {
    Harness harness("type: count\nkey: [k]\nsum: n\n", "k, n: float64");
    for (int i = 0; i < 1000; ++i) {
      harness.push({{"k", "a"}, {"n", i % 2 == 0 ? "0.1" : "1e10"}});
      if ((i + 1) % every == 0) harness.end_epoch();
    }
    harness.end_epoch();
    sums.push_back(harness.take("", {"sum"}).back());
  }
  EXPECT_THAT(sums, ::testing::Each(sums.front()));
}

TEST(CountTest, ADamagedStateIsNamedWithItsTable) {
  Harness harness(kYaml, "dept, n: int64");
  harness.push({{"dept", "A"}, {"n", "1"}});
  harness.end_epoch();
  harness.damage(0, testing::without_end);
  harness.push({{"dept", "A"}, {"n", "1"}});
  EXPECT_THAT(testing::damage_found([&] { harness.end_epoch(); }), HasSubstr("table totals"));
}

TEST(CountTest, PinsASumBeyond64BitsToTheBound) {
  Harness harness(kYaml, "dept, n: int64");
  harness.push({{"dept", "A"}, {"n", "9223372036854775806"}});
  harness.end_epoch();
  harness.push({{"dept", "A"}, {"n", "5"}});
  harness.push({{"dept", "B"}, {"n", "-9223372036854775807"}});
  harness.push({{"dept", "B"}, {"n", "-7"}});
  harness.end_epoch();
  harness.push({{"dept", "A"}, {"n", "-100"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take("", {"dept", "sum"}),
              ElementsAre("A|9223372036854775806", "A|9223372036854775807",
                          "B|-9223372036854775808", "A|9223372036854775807"));
}

TEST(CountTest, EmitsChangedTotalsWhenAnEpochEnds) {
  Harness harness(kYaml, "dept, n: int64");
  harness.push({{"dept", "B"}, {"n", "1"}});
  harness.push({{"dept", "A"}});
  harness.push({{"dept", "B"}, {"n", "2"}});
  EXPECT_THAT(harness.take(), IsEmpty());
  harness.end_epoch();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A count=1 sum=0", "dept=B count=2 sum=3"));
  harness.push({{"dept", "A"}, {"n", "5"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A count=2 sum=5"));
  harness.end_epoch();
  EXPECT_THAT(harness.take(), IsEmpty());
}

TEST(CountTest, ForgetsWhatWasNotCommitted) {
  Harness harness(kYaml, "dept, n: int64");
  harness.push({{"dept", "A"}});
  harness.end_epoch();
  harness.push({{"dept", "A"}});
  harness.crash();
  harness.take();
  harness.push({{"dept", "A"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A count=2 sum=0"));
}

TEST(CountTest, SumsRealsAndRefusesText) {
  Harness harness("type: count\nkey: dept\nsum: r\n", "dept, r: float64");
  harness.push({{"dept", "A"}, {"r", "0.25"}});
  harness.push({{"dept", "A"}, {"r", "0.5"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A count=2 sum=0.75"));
  EXPECT_THAT(Harness("type: count\nkey: dept\nsum: dept\n", "dept").problems(),
              HasSubstr("int64 or float64"));
}

TEST(CountChangesTest, WhatASourceOfChangesTakesBackIsNotCounted) {
  Harness harness("type: count\nkey: dept\nsum: n\n", "dept, n: int64");
  harness.push({{"dept", "a"}, {"n", "5"}});
  harness.push_to(0, {{"dept", "a"}, {"n", "5"}}, runtime::Change::kUpdateBefore);
  harness.push_to(0, {{"dept", "b"}, {"n", "6"}}, runtime::Change::kUpdateAfter);
  harness.push_to(0, {{"dept", "b"}, {"n", "1"}}, runtime::Change::kDelete);
  harness.end_epoch();
  EXPECT_THAT(harness.take(), UnorderedElementsAre("dept=a count=0 sum=0", "dept=b count=0 sum=5"));
}

TEST(CountChangesTest, ItsOwnChangesTakeBackWhatItSaid) {
  Harness harness("type: count\nkey: dept\n", "dept");
  harness.push({{"dept", "a"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take("changes"), ElementsAre("dept=a count=1 change=insert"));
  harness.push({{"dept", "a"}});
  harness.end_epoch();
  EXPECT_THAT(harness.take("changes"),
              ElementsAre("dept=a count=1 change=delete", "dept=a count=2 change=insert"));
  // Nothing has changed in the end.
  harness.push({{"dept", "a"}});
  harness.push_to(0, {{"dept", "a"}}, runtime::Change::kDelete);
  harness.end_epoch();
  EXPECT_THAT(harness.take("changes"), IsEmpty());
  harness.push_to(0, {{"dept", "a"}}, runtime::Change::kDelete);
  harness.push_to(0, {{"dept", "a"}}, runtime::Change::kDelete);
  harness.end_epoch();
  EXPECT_THAT(harness.take("changes"), ElementsAre("dept=a count=2 change=delete"));
}

}  // namespace
}  // namespace huiliu::operators
