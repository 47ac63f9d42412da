#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;

TEST(WorkingDaysTest, AppendsTheNumberAndTheVerdict) {
  Harness harness("type: working_days\nfield: a\nafter: b\ndays: 7\ntable: t.csv\n", "a, b");
  harness.file("t.csv", "# valid until: 2299-12-31\ndate,kind\n2019-01-01,holiday\n");
  harness.push({{"a", "2019-01-10 10:00:00"}, {"b", "2018-12-31"}});
  harness.push({{"a", "2019-01-11"}, {"b", "2018-12-31"}});
  harness.push({{"a", "2018-12-01"}, {"b", "2018-12-31"}});
  harness.push({{"a", ""}, {"b", "2018-12-31"}});
  harness.push({{"a", "soon"}, {"b", "2018-12-31"}});
  EXPECT_THAT(harness.take("", {"working_days", "timeliness"}),
              ElementsAre("7|及时", "8|迟报", "0|及时", "~|~", "~|~"));
}

TEST(WorkingDaysTest, NamesAndWordsAreFree) {
  Harness harness(
      "type: working_days\nfield: a\nafter: b\ndays: 1\ntable: t.csv\ninto: n\nverdict: v\n"
      "in_time: yes\nlate: no\n",
      "a, b");
  harness.file("t.csv", "# valid until: 2299-12-31\ndate,kind\n2019-01-01,holiday\n");
  harness.push({{"a", "2019-01-03"}, {"b", "2019-01-01"}});
  EXPECT_THAT(harness.take("", {"n", "v"}), ElementsAre("2|no"));
}

TEST(WorkingDaysTest, SaysWhatIsWrongBeforeStart) {
  Harness harness(
      "type: working_days\nfield: a\nafter: x\ndays: 0\ntable: t.csv\ninto: b\nverdict: b\n",
      "a, b");
  harness.file("t.csv", "date,kind\n2019-01-01,feast\n");
  EXPECT_THAT(harness.problems(),
              AllOf(HasSubstr("there is no field 'x'"), HasSubstr("working days above 0"),
                    HasSubstr("line 2: not a date,holiday|workday"),
                    HasSubstr("there is a field 'b' already")));
}

}  // namespace
}  // namespace huiliu::operators
