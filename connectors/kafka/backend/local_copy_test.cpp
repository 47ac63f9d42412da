#include "connectors/kafka/backend/local_copy.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/testing/backend_parts.h"

namespace huiliu::connectors::kafka {
namespace {

class LocalCopyTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(LocalCopyTest, NotesAreKeptOnceTheyAreRemembered) {
  {
    LocalCopy copy = open_copy(folder_);
    copy.add_note(kName, "w1");
    EXPECT_EQ(copy.note(kName), nullptr);
    ASSERT_TRUE(copy.remember().is_ok());
    ASSERT_NE(copy.note(kName), nullptr);
  }
  const LocalCopy again = open_copy(folder_);
  ASSERT_NE(again.note(kName), nullptr);
  EXPECT_EQ(*again.note(kName), "w1");
}

TEST_F(LocalCopyTest, ACopyOfAnotherClusterIsRefused) {
  LocalCopy copy = open_copy(folder_);
  ASSERT_TRUE(copy.check_cluster("here").is_ok());
  ASSERT_TRUE(copy.remember().is_ok());
  EXPECT_TRUE(copy.check_cluster("here").is_ok());
  EXPECT_EQ(copy.check_cluster("elsewhere").code(), runtime::StatusCode::kInvalid);
}

TEST_F(LocalCopyTest, PositionsAreKnownByTopicAndPartition) {
  LocalCopy copy = open_copy(folder_);
  EXPECT_FALSE(copy.offset("t.x.changelog", 3));
  state::Commit commit;
  commit.meta.emplace_back(LocalCopy::position_key("t.x.changelog", 3), as_local(17));
  ASSERT_TRUE(copy.commit_next(commit, true).is_ok());
  EXPECT_EQ(copy.offset("t.x.changelog", 3), 17);
  EXPECT_TRUE(copy.has_position_of_shard(3));
  EXPECT_FALSE(copy.has_position_of_shard(13));
  copy.add_note(LocalCopy::position_key("t.x.changelog", 14), as_local(0));
  ASSERT_TRUE(copy.remember().is_ok());
  EXPECT_FALSE(copy.has_position_of_shard(14)) << "nothing has come of it yet";
  state::Commit forgotten;
  forgotten.meta.emplace_back(LocalCopy::position_key("t.x.changelog", 3), "");
  ASSERT_TRUE(copy.commit_next(forgotten, true).is_ok());
  EXPECT_FALSE(copy.offset("t.x.changelog", 3));
}

TEST_F(LocalCopyTest, AnEpochIsNumberedBehindTheCopysOwnCommits) {
  LocalCopy copy = open_copy(folder_);
  state::Commit some;
  ASSERT_TRUE(copy.commit_next(some, false).is_ok());
  ASSERT_TRUE(copy.commit_next(some, false).is_ok());
  copy.align(10);
  state::Commit epoch;
  epoch.epoch = copy.number_of(11);
  EXPECT_EQ(epoch.epoch, 3u);
  ASSERT_TRUE(copy.commit_epoch(epoch).is_ok());
  EXPECT_EQ(copy.last_number(), 3u);
  EXPECT_EQ(copy.store().last_epoch(), 3u);
}

TEST_F(LocalCopyTest, OthersReadTheCopyOnlyWhileItIsWhole) {
  {
    LocalCopy copy = open_copy(folder_);
    ASSERT_TRUE(
        copy.tell_whole({{"source/in/kafka/in/0", "7"}, {"!epoch", "4"}}, "all", 4).is_ok());
    EXPECT_EQ(copy.store().meta(kWhole).size(), 1u);
    EXPECT_EQ(copy.store().meta("source/").size(), 1u);
    EXPECT_TRUE(copy.store().meta("!").empty());
    // What Kafka does not have any more goes.
    ASSERT_TRUE(copy.tell_whole({}, "all", 4).is_ok());
    EXPECT_TRUE(copy.store().meta("source/").empty());
  }
  EXPECT_TRUE(open_copy(folder_).store().meta(kWhole).empty());
}

}  // namespace
}  // namespace huiliu::connectors::kafka
