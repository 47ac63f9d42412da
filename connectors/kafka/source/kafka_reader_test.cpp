#include "connectors/kafka/source/kafka_reader.h"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

#include "connectors/kafka/source/testing/mock_brokers.h"
#include "runtime/base/clock.h"
#include "runtime/record/partition_names.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::ReadResult;

/// Reads as the engine does, without one.
class KafkaReaderTest : public ::testing::Test {
 protected:
  void open() {
    reader_ = make_kafka_reader(
        {.connection = brokers_.connection(), .topics = {"a"}, .start = StartAt::kEarliest});
    context_.node_name = "source";
    context_.topology_id = "test";
    context_.intern = runtime::intern_partition;
    context_.clock = &runtime::system_clock();
    context_.splits = &runtime::Splits::none();
    context_.slice_bytes = 1;  // a message a slice
    context_.shards = 4;
    const runtime::Status status = reader_->open(context_);
    ASSERT_TRUE(status.is_ok()) << status.message();
  }
  /// Reads until there is nothing and the reader says that it has caught up; how many slices had a
  /// message until then, or -1 if it does not say so within half a minute.
  int read_until_caught_up() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (int count = 0; std::chrono::steady_clock::now() < end;) {
      runtime::Slice slice;
      const ReadResult result = reader_->read(slice);
      if (result == ReadResult::kSlice && !slice.bytes.empty()) ++count;
      if (result == ReadResult::kIdle && reader_->has_caught_up()) return count;
    }
    return -1;
  }

  MockBrokers brokers_;
  std::unique_ptr<runtime::SourceReader> reader_;

 private:
  runtime::SourceContext context_;
};

TEST_F(KafkaReaderTest, HasCaughtUpWhenAllThatWasThereAtTheStartIsGiven) {
  brokers_.create("a", 3);
  brokers_.produce("a", {"x", "y", "z"}, 0);
  brokers_.produce("a", {"u"}, 2);
  open();
  EXPECT_FALSE(reader_->has_caught_up()) << "nothing has been fetched";
  EXPECT_EQ(read_until_caught_up(), 4);
}

TEST_F(KafkaReaderTest, HasCaughtUpWithATopicThatIsEmpty) {
  brokers_.create("a", 2);
  open();
  EXPECT_EQ(read_until_caught_up(), 0);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
