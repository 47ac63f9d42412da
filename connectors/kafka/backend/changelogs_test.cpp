#include "connectors/kafka/backend/changelogs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/testing/backend_parts.h"
#include "runtime/record/key.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::KeyBuilder;
using runtime::Status;
using runtime::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr const char* kTopic = "t.sum.totals.changelog";

class ChangelogsTest : public ::testing::Test {
 protected:
  runtime::Result<state::Table*> open(const std::vector<std::uint16_t>& shards) {
    return changelogs_.open_table(parts_.transaction, "sum.totals", shards, {"!table/sum.totals"},
                                  on_open_);
  }
  static bool has(state::Table& table, std::uint16_t shard, const std::string& key) {
    return table.get(shard, key, KeyBuilder::hash_bytes(key)).has_value();
  }
  static runtime::EpochCommit changes(std::uint16_t shard, bool tombstone) {
    state::Changes changes{.table = "sum.totals"};
    auto& blob = changes.blobs.emplace_back(shard, "").second;
    state::append_change(blob, false, "a", "1");
    state::append_change(blob, tombstone, "b", tombstone ? "" : "2");
    runtime::EpochCommit commit;
    commit.changes.push_back(std::make_shared<state::Changes>(changes));
    return commit;
  }

  BackendParts parts_;
  ShardCopies shards_{parts_.setup, parts_.copy};
  Changelogs changelogs_{parts_.setup, parts_.topics, parts_.copy, parts_.progress, shards_};
  std::function<Status()> on_open_;
};

TEST_F(ChangelogsTest, ATableIsBroughtUpToTheRecordsOfItsShards) {
  parts_.brokers[kTopic] = {{1, 0, "a", "1"},
                            {2, 0, "other", "1"},
                            {1, 1, "b", "2"},
                            {1, 2, "a", "", true},
                            {1, 3, "aborted", "3", false, false}};
  auto table = open({1});
  ASSERT_TRUE(table.is_ok());
  EXPECT_FALSE(has(**table, 1, "a"));
  EXPECT_TRUE(has(**table, 1, "b"));
  EXPECT_FALSE(has(**table, 1, "aborted"));
  // How far it is applied is durable with the rows.
  const auto noted = parts_.copy.store().meta(LocalCopy::position_key(kTopic, 1));
  ASSERT_EQ(noted.size(), 1u);
  EXPECT_EQ(local_offset(noted.front().second), 4);
}

TEST_F(ChangelogsTest, ARestoreGoesOnWhereTheLocalCopyIs) {
  state::Commit known;
  known.meta.emplace_back(LocalCopy::position_key(kTopic, 1), as_local(1));
  ASSERT_TRUE(parts_.copy.commit_next(known, true).is_ok());
  parts_.brokers[kTopic] = {{1, 0, "a", "1"}, {1, 1, "b", "2"}};
  auto table = open({1});
  ASSERT_TRUE(table.is_ok());
  EXPECT_FALSE(has(**table, 1, "a"));
  EXPECT_TRUE(has(**table, 1, "b"));
}

TEST_F(ChangelogsTest, AnOpenTransactionIsEndedBeforeTheRestoreGoesOn) {
  parts_.open_in = kTopic;
  int asked = 0;
  on_open_ = [&asked] {
    ++asked;
    return Status::restart("fenced");
  };
  EXPECT_EQ(open({1}).status().message(), "fenced");
  EXPECT_EQ(asked, 1);
}

TEST_F(ChangelogsTest, AChangelogThatWasThereOnceAndWasDeletedIsRefused) {
  parts_.progress.set("!table/sum.totals", kTopic);
  const Status status = open({1}).status();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("was deleted, and with it what table sum.totals"));
}

TEST_F(ChangelogsTest, AChangelogOfAnotherFormIsRefused) {
  parts_.brokers[kTopic] = {};
  parts_.progress.set("!table/sum.totals", std::string(kTopic) + " packed");
  const Status status = open({1}).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalid);
  EXPECT_THAT(status.message(), HasSubstr("in another form"));
}

TEST_F(ChangelogsTest, ANewChangelogIsNotedWithTheNextEpoch) {
  ASSERT_TRUE(open({1}).is_ok());
  EXPECT_TRUE(parts_.brokers.contains(kTopic));
  EXPECT_THAT(parts_.progress.take_next(), ElementsAre(Pair("!table/sum.totals", kTopic)));
}

TEST_F(ChangelogsTest, ChangesGoToTheirShardsPartitionAndMoveThePosition) {
  ASSERT_TRUE(open({1}).is_ok());
  const runtime::EpochCommit commit = changes(1, true);
  ASSERT_TRUE(changelogs_.produce(parts_.transaction, commit).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("t.sum.totals.changelog[1] a=1", "t.sum.totals.changelog[1] b=(none)"));
  state::Commit local;
  local.changes.push_back(static_cast<const state::Changes*>(commit.changes.front().get()));
  changelogs_.add_positions(local);
  ASSERT_EQ(local.meta.size(), 1u);
  EXPECT_EQ(local.meta.front().first, LocalCopy::position_key(kTopic, 1));
  EXPECT_EQ(local_offset(local.meta.front().second), 102);
}

TEST_F(ChangelogsTest, ARecordThatIsNotTakenFailsTheEpoch) {
  ASSERT_TRUE(open({1}).is_ok());
  parts_.transaction.refused = "t.sum.totals.changelog[1] b";
  EXPECT_EQ(changelogs_.produce(parts_.transaction, changes(1, false)).code(),
            StatusCode::kRestart);
}

TEST_F(ChangelogsTest, AStandbyFollowsTheOpenTablesFromWhereTheCopyIs) {
  auto none = changelogs_.follow(nullptr, {2, 3});
  ASSERT_TRUE(none.is_ok());
  EXPECT_THAT(*none, IsEmpty());
  ASSERT_TRUE(open({1}).is_ok());
  state::Commit known;
  known.meta.emplace_back(LocalCopy::position_key(kTopic, 3), as_local(7));
  ASSERT_TRUE(parts_.copy.commit_next(known, true).is_ok());
  auto followed = changelogs_.follow(nullptr, {2, 3});
  ASSERT_TRUE(followed.is_ok());
  ASSERT_EQ(followed->size(), 1u);
  EXPECT_EQ(followed->front().topic, kTopic);
  EXPECT_THAT(followed->front().positions, ElementsAre(Pair(2, 0), Pair(3, 7)));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
