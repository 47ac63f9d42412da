#include "connectors/kafka/backend/progress_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/backend/testing/backend_parts.h"

namespace huiliu::connectors::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class ProgressLogTest : public ::testing::Test {
 protected:
  ProgressLogTest() { log_.use(*transaction_.topic("t.progress", {})); }

  bool put(const std::string& key, const std::string& value) {
    auto written = log_.put(transaction_, 2, key, value);
    return written.is_ok() && *written;
  }
  runtime::Status take(std::string_view key, std::string_view value, bool tombstone = false) {
    return log_.take(
        {.partition = 2, .offset = 9, .key = key, .value = value, .tombstone = tombstone});
  }

  FakeTransaction transaction_;
  ProgressLog log_{"t.progress"};
};

TEST_F(ProgressLogTest, ARecordThatIsThereIsNotWrittenAgain) {
  EXPECT_TRUE(put("ledger/a", "1"));
  EXPECT_FALSE(put("ledger/a", "1"));
  EXPECT_TRUE(put("ledger/a", "2"));
  EXPECT_THAT(transaction_.take_calls(),
              ElementsAre("t.progress[2] ledger/a=1", "t.progress[2] ledger/a=2"));
}

TEST_F(ProgressLogTest, AForgottenRecordIsWrittenAgain) {
  EXPECT_TRUE(put("!epoch/2", "w 7"));
  log_.forget("!epoch/2");
  EXPECT_TRUE(put("!epoch/2", "w 7"));
}

TEST_F(ProgressLogTest, AnEmptyValueDeletesAKeyThatIsThere) {
  EXPECT_FALSE(put("source/a", ""));
  EXPECT_TRUE(put("source/a", "1"));
  EXPECT_TRUE(put("source/a", ""));
  EXPECT_FALSE(log_.has("source/a"));
  EXPECT_THAT(transaction_.take_calls(),
              ElementsAre("t.progress[2] source/a=1", "t.progress[2] source/a=(none)"));
}

TEST_F(ProgressLogTest, RecordsThatWereReadAreFoundByKeyAndPrefix) {
  ASSERT_TRUE(take("layout/once", "x").is_ok());
  ASSERT_TRUE(take("layout/in", "y").is_ok());
  ASSERT_TRUE(take("layout2/in", "z").is_ok());
  ASSERT_TRUE(take("layout/once", "", true).is_ok());
  EXPECT_THAT(log_.with_prefix("layout/"), ElementsAre(Pair("layout/in", "y")));
  EXPECT_EQ(log_.find("layout/once"), nullptr);
}

TEST_F(ProgressLogTest, AValueThatSomethingElseHasWrittenIsRefused) {
  for (const char* key : {"!epoch", "!trimmed/out", "source/in/kafka/in/0"}) {
    const runtime::Status status = take(key, "junk");
    EXPECT_EQ(status.code(), runtime::StatusCode::kCorrupt) << key;
    EXPECT_THAT(status.message(), HasSubstr("t.progress[2] at offset 9: 'junk' is no value of"));
  }
  EXPECT_TRUE(take("!epoch", "12").is_ok());
  EXPECT_TRUE(take("source/in/kafka/in/0", "12@7").is_ok());
  EXPECT_TRUE(take("anything/else", "junk").is_ok());
}

TEST_F(ProgressLogTest, RecordsOfTheNextEpochAreHandedOutOnce) {
  log_.add_next("!table/once.seen", "t.once.seen.changelog");
  EXPECT_FALSE(log_.has("!table/once.seen"));
  EXPECT_THAT(log_.take_next(), ElementsAre(Pair("!table/once.seen", "t.once.seen.changelog")));
  EXPECT_THAT(log_.take_next(), IsEmpty());
}

}  // namespace
}  // namespace huiliu::connectors::kafka
