#include "runtime/engine/self_timer.h"

#include <chrono>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

constexpr std::int64_t kPauseNs = 3'000'000;

void work() { std::this_thread::sleep_for(std::chrono::nanoseconds(kPauseNs)); }

TEST(SelfTimerTest, ANodesTimeIsWithoutThatOfNodesBehindIt) {
  Outputs first("first", 1, 0), second("second", 0, 0), unknown("", 1, 0);
  SelfTimer timer(2);
  timer.knows(first, 0);
  timer.knows(second, 1);
  EXPECT_FALSE(timer.runs());
  const auto before = std::chrono::steady_clock::now();
  timer.start();
  const Record record;
  timer.enter(first, record);
  work();
  timer.enter(unknown, record);  // what the engine puts between two nodes
  timer.enter(second, record);
  work();
  work();
  timer.leave(second);
  timer.leave(unknown);
  timer.leave(first);
  const std::vector<std::int64_t> spent = timer.stop();
  const auto passed = std::chrono::steady_clock::now() - before;
  EXPECT_FALSE(timer.runs());
  ASSERT_EQ(spent.size(), 3u);
  EXPECT_GE(spent[0], kPauseNs);
  EXPECT_GE(spent[1], 2 * kPauseNs);
  EXPECT_LE(std::accumulate(spent.begin(), spent.end(), std::int64_t{0}),
            std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count());
}

TEST(SelfTimerTest, EachStartBeginsAtNothing) {
  SelfTimer timer(1);
  timer.start();
  {
    const SelfTimer::Visit visit(timer, 0);
    work();
  }
  timer.stop();
  timer.start();
  EXPECT_EQ(timer.stop()[0], 0);
}

TEST(SelfTimerTest, VisitsOfATimerThatDoesNotRunAreNothing) {
  SelfTimer timer(1);
  { const SelfTimer::Visit visit(timer, 0); }
  EXPECT_FALSE(timer.runs());
}

}  // namespace
}  // namespace huiliu::runtime
