#include "domain/money.h"

#include <limits>

#include <gtest/gtest.h>

#include "domain/test_vectors.h"

namespace huiliu::domain {
namespace {

std::string formatted(std::int64_t micro_wan) {
  MoneyBuffer buffer;
  return std::string(format_wan(micro_wan, buffer));
}

// The amount, or the error's name.
std::string parsed(std::string_view text) {
  const ParsedMoney money = parse_wan(text);
  return money.error == MoneyError::kOk ? formatted(money.micro_wan)
                                        : std::string(name(money.error));
}

TEST(Money, FollowsTheVectors) {
  const auto document = testing::read_vectors("text_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const auto& row : document["norm_wan"].GetArray()) {
    EXPECT_EQ(parsed(testing::text_of(row[0])), testing::text_of(row[row[1].IsString() ? 1 : 2]))
        << row[0].GetString();
  }
}

TEST(Money, ChineseNumeralsAreRead) {
  EXPECT_EQ(parsed("十元"), "0.001000");
  EXPECT_EQ(parsed("人民币壹佰零伍圆正"), "0.010500");
  EXPECT_EQ(parsed("三亿零两万元"), "30002.000000");
  EXPECT_EQ(parsed("一万亿元"), "100000000.000000");
  EXPECT_EQ(parsed("元"), "FORMAT");
  EXPECT_EQ(parsed("贰仟"), "FORMAT");
  EXPECT_EQ(parsed("贰x元"), "FORMAT");
}

TEST(Money, DecimalsAreRoundedHalfUpAtTheSixth) {
  EXPECT_EQ(parsed("0.0000005"), "0.000001");
  EXPECT_EQ(parsed("0.00000049"), "0.000000");
  EXPECT_EQ(parsed("0.005元"), "0.000001");
  EXPECT_EQ(parsed("￥１，０００．５０ 元整"), "0.100050");
  EXPECT_EQ(parsed("0.00000000005亿元"), "0.000001");
}

TEST(Money, OtherTextIsNoAmount) {
  for (const char* text : {"-1", "1.", ".5", "1.2.3", "1元元", "abc", "1e5", "，"}) {
    EXPECT_EQ(parsed(text), "FORMAT") << text;
  }
  EXPECT_EQ(parsed(std::string(300, '1')), "FORMAT");
}

TEST(Money, TooMuchIsOutOfRange) {
  EXPECT_EQ(parsed("999999999999.999999"), "999999999999.999999");
  EXPECT_EQ(parsed("999999999999.9999995"), "RANGE");
  EXPECT_EQ(parsed("1000000000000"), "RANGE");
  EXPECT_EQ(parsed(std::string(100, '9')), "RANGE");
  EXPECT_EQ(parsed("九亿亿亿亿亿元"), "RANGE");
}

TEST(Money, LargeBareAmountIsSuspect) {
  EXPECT_TRUE(is_unit_suspect(parse_wan("20000")));
  EXPECT_FALSE(is_unit_suspect(parse_wan("10000")));
  EXPECT_FALSE(is_unit_suspect(parse_wan("20000万元")));
}

TEST(Money, TextThatRepeatsTheNumberInYuanIsSeen) {
  const auto repeats = [](const char* text, const char* amount) {
    return repeats_in_yuan(text, parse_wan(amount).micro_wan);
  };
  EXPECT_TRUE(repeats("罚款26100元", "26100"));
  EXPECT_TRUE(repeats("没收0.5元，罚款26,100.00元整", "26100"));
  EXPECT_FALSE(repeats("罚款26100元", "2.61"));
  EXPECT_FALSE(repeats("罚款2.61万元", "2.61"));
  EXPECT_FALSE(repeats("美元", "0"));
}

TEST(Money, EveryNumberIsWritten) {
  EXPECT_EQ(formatted(0), "0.000000");
  EXPECT_EQ(formatted(-200000), "-0.200000");
  EXPECT_EQ(formatted(std::numeric_limits<std::int64_t>::min()), "-9223372036854.775808");
}

}  // namespace
}  // namespace huiliu::domain
