#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kYaml =
    "type: classify\n"
    "rules:\n"
    "  - {when: {type: legal}, set: {class: \"{type}/{n}\", type: L}, to: legal}\n"
    "  - {when: {type: natural}, to: natural}\n"
    "  - {when: {type: other}, set: {section: \"{{x}}\"}}\n";

TEST(ClassifyTest, SetsFieldsAndRoutesByTheFirstRuleThatFits) {
  Harness harness(kYaml, "type, n: int64");
  harness.push({{"type", "legal"}, {"n", "7"}});
  harness.push({{"type", "natural"}});
  harness.push({{"type", "other"}});
  EXPECT_THAT(harness.take("legal"), ElementsAre("type=L n=7 class=legal/7 section=~"));
  EXPECT_THAT(harness.take("natural"), ElementsAre("type=natural n=~ class=~ section=~"));
  EXPECT_THAT(harness.take(), ElementsAre("type=other n=~ class=~ section={x}"));
}

TEST(ClassifyTest, RejectsUnmatchedRecords) {
  Harness harness(kYaml, "type, n: int64");
  harness.push({{"type", "odd"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_message_zh"}),
              ElementsAre("E302_UNCLASSIFIED|没有适合该记录的分类"));
}

TEST(ClassifyTest, EmitsOrDropsUnmatchedRecordsIfAsked) {
  Harness emits(std::string(kYaml) + "unmatched: emit\n", "type, n: int64");
  emits.push({{"type", "odd"}});
  EXPECT_THAT(emits.take(), ElementsAre("type=odd n=~ class=~ section=~"));
  Harness drops(std::string(kYaml) + "unmatched: drop\n", "type, n: int64");
  drops.push({{"type", "odd"}});
  EXPECT_EQ(drops.dropped(), 1u);
}

TEST(ClassifyTest, ReportsMistakes) {
  const std::string problems =
      Harness("type: classify\nrules:\n  - {set: {n: a, class: \"{typ}\"}, to: a.b}\n",
              "type, n: int64")
          .problems();
  EXPECT_THAT(problems, HasSubstr("only fields of text"));
  EXPECT_THAT(problems, HasSubstr("no field 'typ'"));
  EXPECT_THAT(problems, HasSubstr("cannot be the name of an output"));
}

}  // namespace
}  // namespace huiliu::operators
