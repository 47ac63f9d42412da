#include "connectors/kafka/source/slice_filler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/source/testing/mock_brokers.h"
#include "runtime/record/partition_names.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::ReadResult;
using ::testing::ElementsAre;

constexpr int kRounds = 5;

class KafkaSliceFillerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    context_.intern = runtime::intern_partition;
    brokers_.create("wide", 2);
    auto seat = pool_.join(brokers_.connection(),
                           {{"group.id", "g"},
                            {"enable.auto.commit", "false"},
                            {"auto.offset.reset", "error"},
                            {"fetch.wait.max.ms", "20"},
                            {"topic.metadata.refresh.interval.ms", "50"},
                            {"topic.metadata.propagation.max.ms", "0"}},
                           TopicSelection({"wide"}, true));
    ASSERT_TRUE(seat.is_ok()) << seat.status().message();
    seat_ = std::move(seat.value());
    const runtime::Status status = partitions_.discover(*seat_, true);
    ASSERT_TRUE(status.is_ok()) << status.message();
    ASSERT_NE(find(0), nullptr);
    ASSERT_NE(find(1), nullptr);
  }

  static ReaderOptions reader_options() {
    ReaderOptions options;
    options.topics = {"wide"};
    options.start = StartAt::kEarliest;
    options.own = true;  // which has no splits
    return options;
  }
  /// Queues messages of both partitions in turn, as a trickle comes from brokers.
  void add_in_turn() {
    brokers_.produce("wide", std::vector<std::string>(kRounds, "value"), 0);
    brokers_.produce("wide", std::vector<std::string>(kRounds, "value"), 1);
    std::deque<Message> of[2];
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (of[0].size() + of[1].size() < 2 * kRounds && std::chrono::steady_clock::now() < end) {
      rd_kafka_message_t* one = nullptr;
      if (seat_->take({&one, 1}, 20) == 1) of[one->partition].emplace_back(one);
    }
    ASSERT_EQ(of[0].size(), kRounds);
    ASSERT_EQ(of[1].size(), kRounds);
    for (int round = 0; round < kRounds; ++round) {
      for (auto& messages : of) {
        filler_.add(std::move(messages.front()));
        messages.pop_front();
      }
    }
  }
  /// "PARTITION:POSITION" of each slice.
  std::vector<std::string> slices() {
    std::vector<std::string> found;
    while (!filler_.is_empty()) {
      runtime::Slice slice;
      EXPECT_EQ(filler_.fill(slice), ReadResult::kSlice);
      for (const auto& [id, partition] : {std::pair(0, find(0)), std::pair(1, find(1))}) {
        if (slice.partition != partition->name) continue;
        found.push_back(std::to_string(id) + ":" + std::to_string(partition->next));
      }
    }
    return found;
  }
  Partition* find(int number) {
    rd_kafka_message_t message{};
    const Topic topic(rd_kafka_topic_new(seat_->client(), "wide", nullptr));
    message.rkt = topic.get();
    message.partition = number;
    return partitions_.find(message);
  }

  MockBrokers brokers_;
  ConsumerPool pool_;
  ReaderOptions options_ = reader_options();
  runtime::SourceContext context_;
  std::unique_ptr<ConsumerSeat> seat_;
  PartitionSet partitions_{options_, context_};
  SliceFiller filler_{options_, context_, partitions_};
};

TEST_F(KafkaSliceFillerTest, MessagesOfAPartitionShareASliceWhateverComesBetween) {
  add_in_turn();
  EXPECT_THAT(slices(), ElementsAre("0:5", "1:5"));
}

TEST_F(KafkaSliceFillerTest, ASliceThatIsFullIsFollowedByTheRest) {
  context_.slice_bytes = 1;
  add_in_turn();
  EXPECT_THAT(slices(),
              ElementsAre("0:1", "0:2", "0:3", "0:4", "0:5", "1:1", "1:2", "1:3", "1:4", "1:5"));
}

TEST_F(KafkaSliceFillerTest, APartitionThatIsHeldWaitsAndIsPassedOnAfterwards) {
  add_in_turn();
  filler_.park(*find(0));
  EXPECT_THAT(slices(), ElementsAre("1:5"));
  EXPECT_TRUE(filler_.has_parked());
  filler_.unpark(*find(0));
  EXPECT_FALSE(filler_.has_parked());
  EXPECT_THAT(slices(), ElementsAre("0:5"));
}

TEST_F(KafkaSliceFillerTest, WhatIsDroppedIsNotPassedOn) {
  add_in_turn();
  filler_.drop(*find(0));
  EXPECT_THAT(slices(), ElementsAre("1:5"));
  EXPECT_TRUE(filler_.is_empty());
}

}  // namespace
}  // namespace huiliu::connectors::kafka
