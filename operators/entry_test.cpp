#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(EntryTest, SaysHowARecordCameIn) {
  Harness harness("type: entry\nfield: how\n", "a");
  harness.push({{"a", "1"}});
  harness.crash();
  harness.rejudge(1);
  harness.push({{"a", "2"}});
  EXPECT_THAT(harness.take(), ElementsAre("a=1 how=READ", "a=2 how=REJUDGED"));
}

TEST(EntryTest, RejudgedRecordsHaveAnOutputOfTheirOwn) {
  Harness harness("type: entry\n", "a");
  harness.push({{"a", "1"}});
  EXPECT_THAT(harness.take(), ElementsAre("a=1 entry=READ"));
  EXPECT_THAT(harness.take("rejudged"), IsEmpty());
  harness.crash();
  harness.rejudge(1);
  harness.push({{"a", "2"}});
  EXPECT_THAT(harness.take(), ElementsAre("a=2 entry=REJUDGED"));
  EXPECT_THAT(harness.take("rejudged"), ElementsAre("a=2 entry=REJUDGED"));
}

TEST(EntryTest, RefusesAFieldThatIsThere) {
  EXPECT_THAT(Harness("type: entry\n", "a, entry").problems(),
              HasSubstr("the input has a field 'entry' already"));
}

}  // namespace
}  // namespace huiliu::operators
