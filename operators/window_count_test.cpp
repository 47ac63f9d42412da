#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
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

TEST(WindowCountTest, RowsOfAnOpenWindowAreDescribed) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}}, -1);
  harness.push({{"dept", "A"}}, 1000);
  harness.push({{"dept", "B"}}, 1000);
  harness.watermark(500);
  harness.end_epoch();
  EXPECT_THAT(harness.rows(0), ElementsAre("", "", "", "", "dept=A window_start=0 count=1",
                                           "dept=B window_start=0 count=1"))
      << "how far each shard is closed is nobody's row";
}

TEST(WindowCountTest, AWindowThatOpensAndClosesWithinAnEpochLeavesNothing) {
  Harness harness(kYaml, "dept");
  harness.push({{"dept", "A"}}, 1000);
  harness.end_of_input();
  harness.end_epoch();
  EXPECT_THAT(harness.rows(0), IsEmpty());
}

TEST(WindowCountTest, RowsOfTheFirstLayoutAreTakenOver) {
  Harness harness(kYaml, "dept");
  const auto& table = harness.declaration().tables.at(0);
  EXPECT_FALSE(table.adopt("window_count key=(dept string) window=5000ms count"));
  EXPECT_FALSE(table.adopt("window_count key=(dept int64) window=10000ms count"));
  const auto adoption = table.adopt("window_count key=(dept string) window=10000ms count");
  ASSERT_TRUE(adoption);
  const auto bytes_of = [](std::int64_t number) {
    return std::string(reinterpret_cast<const char*>(&number), sizeof number);
  };
  runtime::Schema schema;
  schema.add("dept", runtime::Type::kString);
  runtime::KeyBuilder builder(schema, {"dept"});
  runtime::Value value = runtime::Value::of_text("A");
  runtime::Record record;
  record.values = &value;
  record.width = 1;
  const auto row =
      adoption->row(std::string(builder.build(record)) + bytes_of(-10'000), bytes_of(7));
  ASSERT_TRUE(row);
  EXPECT_TRUE(row->stays);
  const runtime::RowText text = {{"dept", "A"}, {"window_start", "-10000"}, {"count", "7"}};
  EXPECT_EQ(table.describe(row->key, row->value), text);
  const auto closed = adoption->row("watermark", bytes_of(5));
  ASSERT_TRUE(closed);
  EXPECT_TRUE(closed->stays);
  EXPECT_EQ(table.describe(closed->key, closed->value), runtime::RowText());
  EXPECT_FALSE(adoption->row("short", bytes_of(5)));
  EXPECT_FALSE(adoption->row("watermark", "short"));
}

/// Windows as a map has them: start, key → count.
using Model = std::map<std::int64_t, std::map<std::string, std::int64_t>>;

/// What comes out of the model when these windows close, sorted.
std::vector<std::string> close(Model& model, std::int64_t watermark) {
  std::vector<std::string> rows;
  while (!model.empty() && model.begin()->first + 10'000 <= watermark) {
    const std::int64_t start = model.begin()->first;
    for (const auto& [key, count] : model.begin()->second) {
      rows.push_back(fmt::format("dept={} window_start={} window_end={} count={}", key, start,
                                 start + 10'000, count));
    }
    model.erase(model.begin());
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// A random life of the operator; what came out, in its order.
std::vector<std::string> live(std::uint64_t seed, std::uint64_t cache, std::uint64_t memory) {
  std::mt19937_64 random(seed);
  Harness harness(kYaml, "dept");
  harness.limit(cache, memory);
  Model model;
  std::vector<std::string> all;
  std::int64_t watermark = -40'000;
  for (int step = 0; step < 40; ++step) {
    for (std::uint64_t i = random() % 120; i > 0; --i) {
      const std::string key = fmt::format("{:{}}", random() % 60, 1 + random() % 2 * 30);
      const auto time = watermark + static_cast<std::int64_t>(random() % 40'000);
      harness.push({{"dept", key}}, time);
      ++model[time - ((time % 10'000) + 10'000) % 10'000][key];
    }
    for (const std::string& late : harness.take("late")) ADD_FAILURE() << late;
    if (random() % 4 == 0) harness.end_epoch();
    if (random() % 7 == 0) harness.restart();
    if (random() % 3 != 0) continue;
    watermark += 10'000 * static_cast<std::int64_t>(random() % 3);
    const bool end = step == 39;
    harness.watermark(end ? runtime::kEndOfTime : watermark);
    std::vector<std::string> rows = harness.take();
    all.insert(all.end(), rows.begin(), rows.end());
    std::sort(rows.begin(), rows.end());
    EXPECT_EQ(rows, close(model, end ? 1'000'000'000 : watermark)) << seed;
  }
  harness.end_epoch();
  return all;
}

TEST(WindowCountTest, ASmallCacheChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const std::vector<std::string> rows = live(seed, 16u << 20, 64u << 20);
    ASSERT_GT(rows.size(), 100u);
    EXPECT_EQ(live(seed, 0, 64u << 20), rows) << seed;
    EXPECT_EQ(live(seed, 1500, 1000), rows) << seed;
    EXPECT_EQ(live(seed, 9000, 1000), rows) << seed;
  }
}

TEST(WindowCountTest, AWindowOfManyKeysComesOutInPieces) {
  Harness harness(kYaml, "dept");
  std::set<std::string> expected;
  for (int key = 0; key < 20; ++key) {
    harness.push({{"dept", std::to_string(key)}}, 0);
    expected.insert(std::to_string(key));
  }
  harness.pieces(2);
  std::set<std::string> seen;
  int calls = 0;
  do {
    if (++calls == 2) harness.restart();  // those that came out do not come again
    harness.watermark(10'000);
    const auto rows = harness.take("", {"dept"});
    EXPECT_LE(rows.size(), 8u) << "2 of each of 4 shards";
    for (const std::string& dept : rows) EXPECT_TRUE(seen.insert(dept).second) << dept;
  } while (harness.held_time() != runtime::kEndOfTime);
  EXPECT_EQ(seen, expected);
  EXPECT_GT(calls, 2);
  for (const std::string& row : harness.rows(0)) EXPECT_EQ(row, "") << "of a shard, of no key";
}

TEST(WindowCountTest, ARestartReadsNoCounts) {
  Harness harness(kYaml, "dept");
  harness.limit(0, 1000);
  for (int i = 0; i < 50; ++i) harness.push({{"dept", std::to_string(i)}}, 1000 + 10'000 * (i % 3));
  harness.restart();
  harness.push({{"dept", "3"}}, 1000);
  harness.watermark(10'000);
  EXPECT_THAT(harness.take(),
              ::testing::Contains("dept=3 window_start=0 window_end=10000 count=2"));
}

}  // namespace
}  // namespace huiliu::operators
