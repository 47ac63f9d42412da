#include "connectors/kafka/backend/ownership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/group_ownership.h"
#include "connectors/kafka/backend/sole_ownership.h"
#include "connectors/kafka/backend/testing/backend_parts.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::EpochCommit;
using runtime::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

EpochCommit epoch(std::uint64_t number, bool last = false) {
  EpochCommit commit;
  commit.epoch = number;
  commit.meta = {{"source/in/kafka/in/5", "20@7+23"}, {"ledger/in", "9"}, {"layout/in", "source"}};
  commit.last = last;
  return commit;
}

// --- one worker -------------------------------------------------------------------------------

class SoleOwnershipTest : public ::testing::Test {
 protected:
  runtime::Status take_over() {
    parts_.setup.session->owner = "me";
    if (runtime::Status status = sole_.prepare(); !status.is_ok()) return status;
    return sole_.take_over(parts_.transaction);
  }

  BackendParts parts_;
  SoleOwnership sole_{{parts_.setup, parts_.topics, parts_.copy, parts_.progress}};
};

TEST_F(SoleOwnershipTest, TheLastEpochIsThatOfTheProgressTopic) {
  parts_.brokers["t.progress"] = {
      {0, 0, "!owner", "me"}, {0, 1, "!epoch", "41"}, {0, 2, "!epoch", "42", false, false}};
  ASSERT_TRUE(take_over().is_ok());
  EXPECT_EQ(sole_.epoch(), 41u);
  EXPECT_THAT(parts_.progress.take_next(), ElementsAre(Pair("!shards", "8")));
}

TEST_F(SoleOwnershipTest, AnotherProcesssMarkMeansThatItHasTakenOver) {
  parts_.brokers["t.progress"] = {{0, 0, "!owner", "me"}, {0, 1, "!owner", "another"}};
  EXPECT_EQ(take_over().code(), StatusCode::kTakenOver);
}

TEST_F(SoleOwnershipTest, AStateWithAnotherNumberOfShardsIsRefused) {
  parts_.brokers["t.progress"] = {{0, 0, "!owner", "me"}, {0, 1, "!shards", "16"}};
  EXPECT_EQ(take_over().code(), StatusCode::kInvalid);
}

TEST_F(SoleOwnershipTest, AnEmptyProgressTopicBesideALocalStateIsRefused) {
  parts_.brokers["t.progress"] = {{0, 0, "!owner", "me"}};
  parts_.copy.add_note(kTime, "1");
  ASSERT_TRUE(parts_.copy.remember().is_ok());
  const runtime::Status status = take_over();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("the topic was recreated"));
}

TEST_F(SoleOwnershipTest, AnEpochWritesWhatHasChangedAndItsNumberLast) {
  ASSERT_TRUE(sole_.produce_progress(parts_.transaction, epoch(7)).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("t.progress[0] source/in/kafka/in/5=20@7+23", "t.progress[0] ledger/in=9",
                          "t.progress[0] layout/in=source", "t.progress[0] !epoch=7"));
  ASSERT_TRUE(sole_.produce_progress(parts_.transaction, epoch(8)).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(), ElementsAre("t.progress[0] !epoch=8"));
}

TEST_F(SoleOwnershipTest, ConsumedOffsetsReachBehindMarksOfTransactions) {
  ASSERT_TRUE(sole_.send_offsets(parts_.transaction, epoch(7)).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(), ElementsAre("offsets in[5]=23"));
  ASSERT_TRUE(sole_.send_offsets(parts_.transaction, EpochCommit{}).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(), IsEmpty());
}

// --- several workers --------------------------------------------------------------------------

class GroupOwnershipTest : public ::testing::Test {
 protected:
  GroupOwnershipTest() {
    parts_.setup.options.worker = "me";
    group_.metadata = [this] {
      return GroupMetadata(member_ ? rd_kafka_consumer_group_metadata_new("t") : nullptr);
    };
    EXPECT_TRUE(group_.prepare().is_ok());
    group_.take_share({2, 5});
  }

  BackendParts parts_;
  GroupOwnership group_{{parts_.setup, parts_.topics, parts_.copy, parts_.progress}};
  bool member_ = true;
};

TEST_F(GroupOwnershipTest, AShardThatNobodyHasOwnedIsClaimedByAProvenMember) {
  ASSERT_TRUE(group_.claim_shards(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("begin", "t.progress[2] !worker/2=me", "t.progress[2] !left/2=-",
                          "t.progress[5] !worker/5=me", "t.progress[5] !left/5=-", "flush",
                          "offsets t.work[2]=0 t.work[5]=0", "commit"));
  EXPECT_THAT(parts_.fenced, IsEmpty());
}

TEST_F(GroupOwnershipTest, ShardsThatAreClaimedAlreadyNeedNoProof) {
  ASSERT_TRUE(group_.claim_shards(parts_.transaction).is_ok());
  parts_.transaction.take_calls();
  ASSERT_TRUE(group_.claim_shards(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(), ElementsAre("begin", "flush", "commit"));
}

TEST_F(GroupOwnershipTest, ThePredecessorsTransactionIsEndedOnceMembershipIsProven) {
  parts_.progress.set("!worker/2", "dead");
  ASSERT_TRUE(group_.claim_shards(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.fenced, ElementsAre("t/dead"));
  const std::vector<std::string> calls = parts_.transaction.take_calls();
  ASSERT_GE(calls.size(), 3u);
  EXPECT_THAT(std::vector(calls.begin(), calls.begin() + 3),
              ElementsAre("begin", "offsets t.work[2]=0 t.work[5]=0", "commit"));
}

TEST_F(GroupOwnershipTest, APredecessorThatHasLeftIsNotEnded) {
  parts_.progress.set("!worker/2", "other");
  parts_.progress.set("!left/2", "other");
  ASSERT_TRUE(group_.claim_shards(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.fenced, IsEmpty());
}

TEST_F(GroupOwnershipTest, AWorkerThatIsNoMemberEndsNobodysTransaction) {
  parts_.progress.set("!worker/2", "dead");
  member_ = false;
  EXPECT_EQ(group_.claim_shards(parts_.transaction).code(), StatusCode::kRestart);
  parts_.transaction.refused = "offsets";
  member_ = true;
  EXPECT_FALSE(group_.claim_shards(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.fenced, IsEmpty());
}

TEST_F(GroupOwnershipTest, TheWriterOfAnOpenTransactionIsTakenFromItsRecords) {
  parts_.open_in = "t.progress";
  parts_.brokers["t.progress"] = {{2, 0, "!worker/2", "a"},
                                  {2, 1, "!epoch/2", "hangs 12", false, false},
                                  {5, 0, "!worker/5", "me", false, false},
                                  {7, 0, "!worker/7", "elsewhere", false, false}};
  ASSERT_TRUE(group_.read_progress(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.fenced, ElementsAre("t/a", "t/hangs"));
  EXPECT_EQ(*parts_.progress.find("!worker/2"), "a");
}

TEST_F(GroupOwnershipTest, AShardOfWhichOnlyTheLocalStateHasSomethingIsRefused) {
  state::Commit known;
  known.meta.emplace_back(LocalCopy::position_key("t.sum.totals.changelog", 5), as_local(3));
  ASSERT_TRUE(parts_.copy.commit_next(known, true).is_ok());
  EXPECT_EQ(group_.read_progress(parts_.transaction).code(), StatusCode::kCorrupt);
  parts_.brokers["t.progress"] = {{5, 0, "!worker/5", "me"}};
  EXPECT_TRUE(group_.read_progress(parts_.transaction).is_ok());
}

TEST_F(GroupOwnershipTest, AnEpochHasARecordInEachShardAlsoWithoutInput) {
  ASSERT_TRUE(group_.produce_progress(parts_.transaction, epoch(7)).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("t.progress[5] source/in/kafka/in/5=20@7+23",
                          "t.progress[2] !epoch/2=me 7", "t.progress[5] !epoch/5=me 7"));
  ASSERT_TRUE(group_.produce_progress(parts_.transaction, epoch(7, true)).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("t.progress[2] !epoch/2=me 7", "t.progress[2] !left/2=me",
                          "t.progress[5] !epoch/5=me 7", "t.progress[5] !left/5=me"));
}

TEST_F(GroupOwnershipTest, TheLayoutIsToldForEachShardAndReadOfItsOwn) {
  parts_.setup.needs.layout = {{"layout/in", "source kafka"}};
  group_.announce();
  ASSERT_TRUE(group_.produce_progress(parts_.transaction, EpochCommit{}).is_ok());
  EXPECT_THAT(group_.meta(runtime::kLayoutPrefix),
              ElementsAre(Pair("layout/in", "source kafka"), Pair("layout/in", "source kafka")));
}

TEST_F(GroupOwnershipTest, AnErrorIsItsOwnOnlyIfItStillIsAMember) {
  ASSERT_TRUE(group_.confirm(parts_.transaction).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("abort", "begin", "offsets t.work[2]=0 t.work[5]=0", "commit"));
  member_ = false;
  EXPECT_EQ(group_.confirm(parts_.transaction).code(), StatusCode::kRestart);
}

TEST_F(GroupOwnershipTest, OnlyConsumedRowsOfTheEnginesTopicsAreDeleted) {
  parts_.setup.needs.repartitions.push_back({"t.sum.repartition", "sum", {}});
  parts_.progress.set("source/sum/kafka/t.sum.repartition/2", "30");
  parts_.progress.set("source/in/kafka/in/5", "20");
  const PartitionList list = consumed_rows(parts_.setup.needs, parts_.progress);
  ASSERT_EQ(list->cnt, 1);
  EXPECT_STREQ(list->elems[0].topic, "t.sum.repartition");
  EXPECT_EQ(list->elems[0].offset, 30);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
