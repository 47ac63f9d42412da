#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FilterTest, KeepsRecordsThatMeetTheCondition) {
  Harness harness("type: filter\nwhen: {kind: [penalty, blacklist], amount: {more_than: 5}}\n",
                  "kind, amount: int64");
  harness.push({{"kind", "penalty"}, {"amount", "6"}});
  harness.push({{"kind", "penalty"}, {"amount", "5"}});
  harness.push({{"kind", "penalty"}});
  harness.push({{"kind", "licence"}, {"amount", "6"}});
  EXPECT_THAT(harness.take("", {"kind", "amount"}), ElementsAre("penalty|6"));
  EXPECT_EQ(harness.dropped(), 3u);
}

TEST(FilterTest, UnderstandsEveryKindOfCondition) {
  Harness harness(
      "type: filter\n"
      "when:\n"
      "  present: name\n"
      "  absent: [code]\n"
      "  name: {contains: 公司, not: 某公司}\n"
      "  not: {name: {starts_with: X}}\n"
      "  any: [{kind: a}, {kind: b}]\n",
      "name, code, kind");
  harness.push({{"name", "龙岩公司"}, {"kind", "a"}});
  harness.push({{"name", "某公司"}, {"kind", "a"}});
  harness.push({{"name", "X公司"}, {"kind", "a"}});
  harness.push({{"name", "龙岩公司"}, {"kind", "c"}});
  harness.push({{"name", "龙岩公司"}, {"kind", "b"}, {"code", "1"}});
  harness.push({{"kind", "a"}});
  EXPECT_THAT(harness.take("", {"name", "kind"}), ElementsAre("龙岩公司|a"));
}

TEST(FilterTest, EvaluatesALuaExpression) {
  Harness harness("type: filter\nexpression: 'amount ~= nil and amount > 2 and #kind == 1'\n",
                  "kind, amount: int64");
  harness.push({{"kind", "a"}, {"amount", "3"}});
  harness.push({{"kind", "a"}});
  harness.push({{"kind", "ab"}, {"amount", "3"}});
  EXPECT_THAT(harness.take("", {"kind", "amount"}), ElementsAre("a|3"));
}

TEST(FilterTest, RejectsWhereTheExpressionFails) {
  Harness harness("type: filter\nexpression: amount > 2\n", "amount: int64");
  harness.push({});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_message_zh"}),
              ElementsAre(HasSubstr("E901_SCRIPT|脚本出错")));
}

TEST(FilterTest, RejectsInsteadOfDroppingIfAsked) {
  Harness harness("type: filter\nwhen: {kind: a}\notherwise: reject\ncode: NOT_A\n", "kind");
  harness.push({{"kind", "b"}});
  EXPECT_THAT(harness.take("rejects", {"reject_code", "reject_message_zh"}),
              ElementsAre("NOT_A|记录不符合筛选条件"));
}

TEST(FilterTest, ReportsEveryMistakeAtOnce) {
  const std::string problems =
      Harness("type: filter\nwhen: {knid: a, amount: x}\nexpression: amout + +\n",
              "kind, amount: int64")
          .problems();
  EXPECT_THAT(problems, HasSubstr("knid"));
  EXPECT_THAT(problems, HasSubstr("'x' cannot equal a field of type int64"));
  EXPECT_THAT(problems, HasSubstr("script:"));
  EXPECT_THAT(Harness("type: filter\nexpression: amout > 1\n", "amount: int64").problems(),
              HasSubstr("amount"));
}

}  // namespace
}  // namespace huiliu::operators
