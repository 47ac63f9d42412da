#include "connectors/kafka/backend/outboxes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/backend/backend_keys.h"
#include "connectors/kafka/backend/testing/backend_parts.h"
#include "state/layout.h"

namespace huiliu::connectors::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string number(std::uint64_t value) {
  std::string text;
  state::append_big_endian(text, value, 8);
  return text;
}

class OutboxesTest : public ::testing::Test {
 protected:
  OutboxesTest() { parts_.setup.needs.outboxes.push_back({"out", {}}); }

  void store(std::int64_t offset, std::uint64_t sequence, const std::string& bytes) {
    parts_.brokers["t.out.outbox"].push_back({0, offset, number(sequence), number(1) + bytes});
  }
  std::vector<std::string> entries() {
    std::vector<std::string> found;
    const auto read = parts_.copy.store().read_log("out", 0, 1 << 20);
    for (const auto& entry : read.value()) found.push_back(entry.bytes);
    return found;
  }

  BackendParts parts_;
  Outboxes outboxes_{parts_.setup, parts_.topics, parts_.copy, parts_.progress};
};

TEST_F(OutboxesTest, TheLocalCopyGetsTheEntriesThatItDoesNotHave) {
  store(0, 1, "one");
  store(1, 2, "two");
  ASSERT_TRUE(outboxes_.restore(parts_.transaction).is_ok());
  EXPECT_THAT(entries(), ElementsAre("one", "two"));
}

TEST_F(OutboxesTest, EntriesThatWereDeliveredAreLeftOut) {
  store(0, 1, "one");
  store(1, 2, "two");
  parts_.progress.set("!trimmed/out", "1");
  ASSERT_TRUE(outboxes_.restore(parts_.transaction).is_ok());
  EXPECT_THAT(entries(), ElementsAre("two"));
}

TEST_F(OutboxesTest, AnEntryIsWrittenWithItsNumberAndMovesThePosition) {
  ASSERT_TRUE(outboxes_.restore(parts_.transaction).is_ok());
  runtime::EpochCommit commit;
  commit.appends.push_back({.log = "out", .sequence = 3, .bytes = "abc", .records = 2});
  ASSERT_TRUE(outboxes_.produce(parts_.transaction, commit).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(),
              ElementsAre("t.out.outbox[0] " + number(3) + "=" + number(2) + "abc"));
  state::Commit local;
  outboxes_.add_positions(local);
  ASSERT_EQ(local.meta.size(), 1u);
  EXPECT_EQ(local.meta.front().second, "101");
}

TEST_F(OutboxesTest, DeliveredEntriesAreDeletedOnce) {
  ASSERT_TRUE(outboxes_.restore(parts_.transaction).is_ok());
  parts_.progress.set("!trimmed/out", "1");
  runtime::EpochCommit commit;
  commit.trims = {{"out", 3}};
  ASSERT_TRUE(outboxes_.produce(parts_.transaction, commit).is_ok());
  EXPECT_THAT(
      parts_.transaction.take_calls(),
      ElementsAre("t.out.outbox[0] " + number(2) + "=(none)",
                  "t.out.outbox[0] " + number(3) + "=(none)", "t.progress[0] !trimmed/out=3"));
  EXPECT_EQ(*parts_.progress.find("!trimmed/out"), "3");
}

TEST_F(OutboxesTest, ARefusedRecordFailsTheEpoch) {
  ASSERT_TRUE(outboxes_.restore(parts_.transaction).is_ok());
  parts_.transaction.refused = "t.progress";
  runtime::EpochCommit commit;
  commit.trims = {{"out", 0}};
  EXPECT_FALSE(outboxes_.produce(parts_.transaction, commit).is_ok());
  EXPECT_THAT(parts_.transaction.take_calls(), IsEmpty());
}

}  // namespace
}  // namespace huiliu::connectors::kafka
