#include "connectors/kafka/source/shared_consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/source/testing/mock_brokers.h"

namespace huiliu::connectors::kafka {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kPrefetchKib = 1024;

class KafkaSharedConsumerTest : public ::testing::Test {
 protected:
  std::unique_ptr<ConsumerSeat> join(std::vector<std::string> topics,
                                     const std::string& group = "g") {
    auto seat = pool_.join(brokers_.connection(),
                           {{"group.id", group},
                            {"enable.auto.commit", "false"},
                            {"enable.auto.offset.store", "false"},
                            {"auto.offset.reset", "error"},
                            {"enable.partition.eof", "true"},
                            {"queued.min.messages", "10000000"},
                            {"queued.max.messages.kbytes", std::to_string(kPrefetchKib)},
                            {"fetch.wait.max.ms", "20"},
                            {"fetch.error.backoff.ms", "20"},
                            {"topic.metadata.refresh.interval.ms", "50"},
                            {"topic.metadata.propagation.max.ms", "0"}},
                           TopicSelection(std::move(topics), false));
    EXPECT_TRUE(seat.is_ok()) << seat.status().message();
    return std::move(seat.value());
  }
  static void assign(ConsumerSeat& seat, const std::string& topic, int partition = 0,
                     std::int64_t offset = 0) {
    EXPECT_TRUE(partition_count(seat.client(), topic).is_ok());
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
    const Error error = seat.assign(list.get());
    EXPECT_FALSE(error) << error.text;
  }
  void SetUp() override {
    brokers_.create("a", 2);
    brokers_.create("b");
  }

  MockBrokers brokers_;
  ConsumerPool pool_;
};

TEST_F(KafkaSharedConsumerTest, EachSourceGetsWhatItsPartitionsHave) {
  const auto one = join({"a"}), two = join({"b"});
  ASSERT_TRUE(one->shares_with(*two));
  EXPECT_EQ(pool_.size(), 1u);
  assign(*one, "a", 0);
  assign(*two, "b");
  assign(*one, "a", 1);
  brokers_.produce("a", {"x", "y"});
  brokers_.produce("a", {"z"}, 1);
  brokers_.produce("b", {"u"});
  Taken of_one(*one), of_two(*two);
  ASSERT_TRUE(of_two.until_messages(1));
  ASSERT_TRUE(of_one.until_messages(3));
  EXPECT_THAT(of_two.messages, ElementsAre("b[0]0=u"));
  EXPECT_THAT(of_one.messages, ::testing::UnorderedElementsAre("a[0]0=x", "a[0]1=y", "a[1]0=z"));
}

TEST_F(KafkaSharedConsumerTest, SourcesThatMayReadTheSameTopicHaveDifferentClients) {
  const auto one = join({"a", "c"}), same = join({"b", "a"}), pattern = join({"^b.*"}),
             other_pattern = join({"^d"});
  EXPECT_FALSE(one->shares_with(*same));
  EXPECT_TRUE(one->shares_with(*pattern));
  EXPECT_FALSE(same->shares_with(*pattern));
  EXPECT_TRUE(same->shares_with(*other_pattern));
  EXPECT_EQ(pool_.size(), 2u);
  for (ConsumerSeat* seat : {one.get(), same.get()}) assign(*seat, "a");
  brokers_.produce("a", {"x"});
  Taken of_one(*one), of_same(*same);
  EXPECT_TRUE(of_one.until_messages(1));
  EXPECT_TRUE(of_same.until_messages(1));
}

TEST_F(KafkaSharedConsumerTest, SourcesOfOtherSettingsHaveOtherClients) {
  const auto one = join({"a"}), other = join({"b"}, "h");
  EXPECT_FALSE(one->shares_with(*other));
}

TEST_F(KafkaSharedConsumerTest, AClientEndsWithItsLastSource) {
  auto one = join({"a"}), two = join({"b"});
  one.reset();
  EXPECT_EQ(pool_.size(), 1u);
  two.reset();
  EXPECT_EQ(pool_.size(), 0u);
}

TEST_F(KafkaSharedConsumerTest, ASourceThatHasLeftDoesNotStopTheOther) {
  auto one = join({"a"});
  const auto two = join({"b"});
  assign(*one, "a");
  assign(*two, "b");
  brokers_.produce("a", {"x"});
  ASSERT_TRUE(Taken(*one).until_messages(1));
  one.reset();
  brokers_.produce("a", {"y"});
  brokers_.produce("b", {"u"});
  Taken of_two(*two);
  ASSERT_TRUE(of_two.until_messages(1));
  EXPECT_THAT(of_two.messages, ElementsAre("b[0]0=u"));
}

TEST_F(KafkaSharedConsumerTest, AnOffsetThatIsNotThereConcernsItsSourceOnly) {
  const auto one = join({"a"}), two = join({"b"});
  assign(*one, "a", 0, 1000);
  assign(*two, "b");
  Taken of_one(*one), of_two(*two);
  ASSERT_TRUE(of_one.until([&] { return !of_one.errors.empty(); }));
  EXPECT_THAT(of_one.errors, Contains(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET));
  brokers_.produce("b", {"u"});
  ASSERT_TRUE(of_two.until_messages(1));
  EXPECT_THAT(of_two.errors, IsEmpty());
  EXPECT_THAT(two->take_errors(1000), IsEmpty());
}

// librdkafka tells nobody that reads; who looks for new partitions finds it out.
TEST_F(KafkaSharedConsumerTest, ATopicThatIsGoneConcernsItsSourceOnly) {
  brokers_.create("c");
  const auto one = join({"a"}), two = join({"b", "c"});
  assign(*one, "a");
  assign(*two, "b");
  Taken of_one(*one), of_two(*two);
  brokers_.produce("a", {"x"});
  ASSERT_TRUE(of_one.until_messages(1));
  brokers_.fail("a", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  auto there = topic_exists(one->client(), "a");
  ASSERT_TRUE(there.is_ok() && !*there);
  assign(*two, "c");
  brokers_.produce("b", {"u"});
  brokers_.produce("c", {"v"});
  ASSERT_TRUE(of_two.until_messages(2));
  EXPECT_THAT(of_two.errors, IsEmpty());
  brokers_.fail("a", RD_KAFKA_RESP_ERR_NO_ERROR);  // or its client would not end
}

// librdkafka before 2.2 looks at a full queue again when its broker does something, or after a
// second.
TEST_F(KafkaSharedConsumerTest, AFullQueueStopsItsSourceOnlyAndIsBounded) {
  const auto one = join({"a"}), two = join({"b"});
  constexpr std::size_t kBytes = 10'000, kMessages = 400;
  brokers_.produce("a", std::vector<std::string>(kMessages, std::string(kBytes, 'x')));
  assign(*one, "a");
  assign(*two, "b");
  Taken of_one(*one), of_two(*two);
  for (std::size_t i = 1; i <= 20; ++i) {
    brokers_.produce("b", {"u"});
    ASSERT_TRUE(of_two.until_messages(i));
  }
  constexpr std::size_t kOneAnswer = 1024 * 1024;
  EXPECT_LE(one->waiting() * kBytes, kPrefetchKib * 1024 + kOneAnswer);
  EXPECT_TRUE(of_one.until_messages(kMessages));
}

TEST_F(KafkaSharedConsumerTest, APausedPartitionGoesOnWhereItWasAndOthersDoNotWaitForIt) {
  const auto one = join({"a"}), two = join({"b"});
  assign(*one, "a");
  assign(*two, "b");
  Taken of_one(*one), of_two(*two);
  brokers_.produce("a", {"x"});
  ASSERT_TRUE(of_one.until_messages(1));
  EXPECT_FALSE(one->pause("a", 0, true));
  brokers_.produce("a", {"y"});
  brokers_.produce("b", {"u"});
  ASSERT_TRUE(of_two.until_messages(1));
  EXPECT_EQ(of_one.messages.size(), 1u);
  EXPECT_FALSE(one->pause("a", 0, false));
  ASSERT_TRUE(of_one.until_messages(2));
  EXPECT_THAT(of_one.messages, ElementsAre("a[0]0=x", "a[0]1=y"));
}

TEST_F(KafkaSharedConsumerTest, APartitionThatIsReadAnewStaysItsSources) {
  const auto one = join({"a"}), two = join({"b"});
  assign(*one, "a");
  assign(*two, "b");
  Taken of_one(*one);
  brokers_.produce("a", {"x", "y"});
  ASSERT_TRUE(of_one.until_messages(2));
  const Error error = one->seek("a", 0, 1);
  EXPECT_FALSE(error) << error.text;
  ASSERT_TRUE(of_one.until_messages(3));
  EXPECT_EQ(of_one.messages.back(), "a[0]1=y");
}

}  // namespace
}  // namespace huiliu::connectors::kafka
