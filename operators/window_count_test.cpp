#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::IsEmpty;

constexpr const char* kYaml = "type: window_count\nkey: [dept]\nwindow: 10s\n";

TEST(WindowCountTest, EmitsAWindowWhenTheWatermarkPassesItsEnd) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "B"}}, 1000);
  harness.push({{"dept", "A"}}, 9999);
  harness.push({{"dept", "B"}}, 10'000);
  harness.push({{"dept", "B"}}, 2000);
  harness.watermark(9'999);
  EXPECT_THAT(harness.take(), IsEmpty());
  harness.watermark(10'000);
  EXPECT_THAT(harness.take(), ElementsAre("dept=A window_start=0 window_end=10000 count=1",
                                          "dept=B window_start=0 window_end=10000 count=2"));
  harness.end_of_input();
  EXPECT_THAT(harness.take(), ElementsAre("dept=B window_start=10000 window_end=20000 count=1"));
}

TEST(WindowCountTest, SendsRecordsOfClosedWindowsToLate) {
  Harness harness(kYaml, "dept");
  harness.watermark(10'000);
  harness.push({{"dept", "A"}}, 9999);
  EXPECT_THAT(harness.take("late"), ElementsAre("dept=A"));
}

TEST(WindowCountTest, RejectsLateRecordsWhereNobodyReadsLate) {
  Harness harness(kYaml, "dept");
  harness.unread("late");
  harness.watermark(10'000);
  harness.push({{"dept", "A"}}, 9999);
  EXPECT_THAT(harness.take("rejects", {"reject_code"}), ElementsAre("E411_LATE"));
}

TEST(WindowCountTest, ADamagedStateIsNamedWithItsTable) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}}, 1000);
  harness.end_epoch();
  harness.damage(0, testing::without_end);
  harness.restart();
  EXPECT_THAT(testing::damage_found([&] { harness.watermark(0); }),
              ::testing::HasSubstr("table open"));
}

TEST(WindowCountTest, GoesOnWithCommittedCountsAfterACrash) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}}, 1000);
  harness.push({{"dept", "A"}}, 11'000);
  harness.watermark(500);
  harness.end_epoch();
  harness.push({{"dept", "A"}}, 1001);  // not committed
  harness.crash();
  harness.push({{"dept", "A"}}, 1002);
  harness.watermark(10'500);
  harness.restart();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A window_start=0 window_end=10000 count=2"));
  harness.push({{"dept", "A"}}, 1003);
  EXPECT_THAT(harness.take("late"), ElementsAre("dept=A"));
  harness.end_of_input();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A window_start=10000 window_end=20000 count=1"));
}

TEST(WindowCountTest, AClosedWindowStaysClosedThoughNothingWasOpen) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}}, 5000);
  harness.watermark(20'000);
  EXPECT_THAT(harness.take(), ElementsAre("dept=A window_start=0 window_end=10000 count=1"));
  harness.restart();
  for (const char* dept : {"A", "B", "C", "D", "E"}) harness.push({{"dept", dept}}, 6000);
  EXPECT_THAT(harness.take("late"), ::testing::SizeIs(5)) << "in whichever shard";
  harness.end_of_input();
  EXPECT_THAT(harness.take(), IsEmpty());
}

TEST(WindowCountTest, AnEarlierWatermarkOpensNoWindowAgain) {
  Harness harness(kYaml, "dept");
  harness.watermark(20'000);
  harness.restart();
  harness.watermark(3'000);  // of a process that is behind the one that had the shards before
  harness.push({{"dept", "A"}}, 6000);
  EXPECT_THAT(harness.take("late"), ElementsAre("dept=A"));
}

TEST(WindowCountTest, RejectsRecordsWithoutEventTime) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_message_zh"}),
              ElementsAre("E101_MISSING|记录没有事件时间"));
}

TEST(WindowCountTest, PutsTimesBeforeTheEpochIntoTheRightWindow) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}}, -1);
  harness.end_of_input();
  EXPECT_THAT(harness.take(), ElementsAre("dept=A window_start=-10000 window_end=0 count=1"));
}

}  // namespace
}  // namespace huiliu::operators
