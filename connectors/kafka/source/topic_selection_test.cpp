#include "connectors/kafka/source/topic_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TopicSelectionTest, TopicsOfTheTopologysBackendAreInternal) {
  for (const char* name :
       {"t.progress", "t.work", "t.once.seen.changelog", "t.out.outbox", "t.once.repartition"}) {
    EXPECT_TRUE(is_internal_topic("t", name)) << name;
  }
  for (const char* name : {"t", "t.orders", "t2.progress", "other.progress", "tprogress"}) {
    EXPECT_FALSE(is_internal_topic("t", name)) << name;
  }
}

TEST(TopicSelectionTest, NamesAndMatchesOfPatternsAreSortedAndOnce) {
  TopicSelection selection({"z", "^o", "orders"}, false);
  auto found = selection.choose({"orders", "others", "__offsets", "x"}, "in", "t");
  ASSERT_TRUE(found.is_ok());
  EXPECT_THAT(*found, ElementsAre("orders", "others", "z"));
}

TEST(TopicSelectionTest, APatternLeavesOutWhatTheTopologyWritesForItself) {
  TopicSelection selection({"^t"}, false);
  auto found = selection.choose({"t.in", "t.progress", "t.once.seen.changelog"}, "in", "t");
  ASSERT_TRUE(found.is_ok());
  EXPECT_THAT(*found, ElementsAre("t.in"));
}

TEST(TopicSelectionTest, ANameOfSuchATopicIsRefusedUnlessTheEngineItselfReadsIt) {
  const auto refused = TopicSelection({"t.progress"}, false).choose({}, "in", "t");
  ASSERT_FALSE(refused.is_ok());
  EXPECT_THAT(refused.status().message(), HasSubstr("it would feed itself"));
  auto own = TopicSelection({"t.once.repartition"}, true).choose({}, "in", "t");
  ASSERT_TRUE(own.is_ok());
  EXPECT_THAT(*own, ElementsAre("t.once.repartition"));
}

TEST(TopicSelection, KnowsWhetherAnotherMayReadTheSameTopic) {
  const auto meet = [](const char* one, const char* other) {
    return TopicSelection({one}, false).may_meet(TopicSelection({"x", other}, false));
  };
  EXPECT_TRUE(meet("a", "a"));
  EXPECT_FALSE(meet("a", "b"));
  EXPECT_TRUE(meet("^a", "ab"));
  EXPECT_TRUE(meet("ab", "^a"));
  EXPECT_FALSE(meet("b", "^a"));
  EXPECT_TRUE(meet("^a", "^b"));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
