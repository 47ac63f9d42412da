#include "connectors/kafka/backend/upstream_times.h"

#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

using runtime::kNoEventTime;
using runtime::ShardTime;
using State = ShardTime::State;

TEST(UpstreamTimes, WaitsUntilEveryShardHasSaidSomething) {
  UpstreamTimes times(3);
  EXPECT_EQ(times.told().time, kNoEventTime);
  times.take({{0, State::kTime, 100}, {1, State::kNone, kNoEventTime}});
  EXPECT_EQ(times.told().time, kNoEventTime);
  times.take({{2, State::kTime, 50}});
  EXPECT_EQ(times.told().time, 50);
  EXPECT_FALSE(times.told().idle);
}

TEST(UpstreamTimes, WaitsNotForIdleShardsNorForThoseWithoutInput) {
  UpstreamTimes times(3);
  times.take({{0, State::kTime, 100}, {1, State::kIdle, 20}, {2, State::kNone, kNoEventTime}});
  EXPECT_EQ(times.told().time, 100);
  times.take({{0, State::kIdle, 100}});
  EXPECT_EQ(times.told().time, 100) << "all that has come is all that there is";
  EXPECT_TRUE(times.told().idle);
}

TEST(UpstreamTimes, AShardNeverGoesBack) {
  UpstreamTimes times(1);
  times.take({{0, State::kTime, 100}});
  times.take({{0, State::kTime, 70}});
  EXPECT_EQ(times.told().time, 100);
}

TEST(UpstreamTimes, ComesBackFromItsText) {
  UpstreamTimes times(4);
  times.take({{0, State::kTime, -5}, {2, State::kIdle, 20}, {3, State::kNone, kNoEventTime}});
  const auto parsed = UpstreamTimes::parse(times.text(), 4);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->text(), times.text());
  EXPECT_EQ(parsed->told().time, kNoEventTime) << "shard 1 has said nothing";
  for (const char* text : {"1", "1=", "x=1", "4=1", "1=1,", "1=1;2=2", "1!1"}) {
    const auto wrong = UpstreamTimes::parse(text, 4);
    EXPECT_TRUE(!wrong || std::string_view(text) == "1=1,") << text;
  }
}

TEST(UpstreamTimes, TravelsInAMessage) {
  const std::vector<ShardTime> times = {{7, State::kTime, 123}, {9, State::kIdle, -1}};
  const std::string bytes = times_bytes(times);
  EXPECT_EQ(parse_times(bytes), times);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    if (size != bytes.size() / 2) {
      EXPECT_FALSE(parse_times(std::string_view(bytes).substr(0, size))) << size;
    }
  }
  std::string wrong = bytes;
  wrong[2] = 3;
  EXPECT_FALSE(parse_times(wrong));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
