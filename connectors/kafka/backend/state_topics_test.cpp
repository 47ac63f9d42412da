#include "connectors/kafka/backend/state_topics.h"

#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

class StateTopicsTest : public ::testing::Test {
 protected:
  StateTopicsTest() {
    needs_.topology_id = "t";
    needs_.shards = 64;
    inserts_.only_inserts = true;
    needs_.tables.push_back({"once.seen", &inserts_, {}});
  }

  runtime::StateNeeds needs_;
  runtime::TableDeclaration inserts_;
};

TEST_F(StateTopicsTest, NamesBeginWithTheTopologysId) {
  const StateTopics topics(needs_, 3, false);
  EXPECT_EQ(topics.progress().name, "t.progress");
  EXPECT_EQ(topics.work().name, "t.work");
  EXPECT_EQ(topics.changelog("sum.totals").name, "t.sum.totals.changelog");
  EXPECT_EQ(topics.outbox("out").name, "t.out.outbox");
  EXPECT_EQ(topics.repartition("t.sum.repartition").name, "t.sum.repartition");
  EXPECT_EQ(topics.outbox("out").replication, 3);
}

TEST_F(StateTopicsTest, ChangelogsHaveAPartitionAShard) {
  EXPECT_EQ(StateTopics(needs_, -1, false).changelog("sum.totals").partitions, 64);
  EXPECT_EQ(StateTopics(needs_, -1, false).progress().partitions, 1);
  EXPECT_EQ(StateTopics(needs_, -1, true).progress().partitions, 64);
  EXPECT_EQ(StateTopics(needs_, -1, true).outbox("out").partitions, 1);
}

TEST_F(StateTopicsTest, TablesThatOnlyGrowArePackedAndNotCompacted) {
  const StateTopics topics(needs_, -1, false);
  EXPECT_EQ(topics.form("once.seen"), ChangelogForm::kPacked);
  EXPECT_EQ(topics.form("sum.totals"), ChangelogForm::kRows);
  EXPECT_EQ(topics.changelog("once.seen").settings.front().second, "delete");
  EXPECT_EQ(topics.changelog("sum.totals").settings.front().second, "compact");
}

}  // namespace
}  // namespace huiliu::connectors::kafka
