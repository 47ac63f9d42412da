#include "codecs/value_parsers.h"

#include <gtest/gtest.h>

namespace huiliu::codecs {
namespace {

using runtime::Type;

TEST(ValueParsers, ReadsWholeNumbersInEverySpelling) {
  EXPECT_EQ(parse_whole("100.0"), 100);
  EXPECT_EQ(parse_whole("1.0E7"), 10'000'000);
  EXPECT_EQ(parse_whole("9223372036854775807"), INT64_MAX);
  for (const char* text : {"1.5", "1e400", "nan", "1.0E17", "", "1x", "3.5E17"}) {
    EXPECT_FALSE(parse_whole(text)) << text;
  }
}

TEST(ValueParsers, RefusesNumbersThatAreNone) {
  EXPECT_EQ(parse_real("1e3"), 1000.0);
  for (const char* text : {"1e400", "-1e999", "nan", "inf", "-infinity", "", "1,5"}) {
    EXPECT_FALSE(parse_real(text)) << text;
    EXPECT_FALSE(parse_cell(Type::kFloat64, text)) << text;
  }
}

TEST(ValueParsers, ReadsCompactMomentsAsDatesAndRefusesImplausibleOnes) {
  constexpr std::int64_t kTen = 1'717'034'400'000;  // 2024-05-30 10:00 in China
  for (const char* text : {"2024-05-30 10:00", "20240530100000", "2024/5/30 10:00:00",
                           "2024年5月30日 10时", "1717034400000", "2024-05-30T02:00:00Z"}) {
    EXPECT_EQ(parse_timestamp(text), kTen) << text;
  }
  for (const char* text :
       {"2024-05-30x", "2024-05-30 10:00 garbage", "0024-05-30", "9999-12-31", "20241330100000",
        "9999999999999", "2024-02-30", "", "2024-05-30 25:00"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
  EXPECT_EQ(parse_number_timestamp("20240530100000"), kTen);
  EXPECT_EQ(parse_number_timestamp("1717034400000"), kTen);
  EXPECT_EQ(parse_number_timestamp("5000"), 5000);
  EXPECT_EQ(parse_number_timestamp("-5"), -5);
  EXPECT_FALSE(parse_number_timestamp("20241330100000"));
  EXPECT_FALSE(parse_number_timestamp("99999999999999999"));
}

TEST(ValueParsers, ANumberThatIsTooLargeIsShownAndNoPersonsIs) {
  using runtime::Type;
  EXPECT_EQ(excerpt_of(Type::kInt64, "9223372036854775808"), "9223372036854775808");
  EXPECT_EQ(excerpt_of(Type::kInt64, "-99999999999999999999"), "-99999999999999999999");
  EXPECT_EQ(excerpt_of(Type::kInt64, "11010519900307001X"), "110************01X");
  EXPECT_NE(excerpt_of(Type::kInt64, "9110105199003070011"), "9110105199003070011");
  EXPECT_NE(excerpt_of(Type::kString, "9223372036854775808"), "9223372036854775808");
}

TEST(ValueParsers, ShowsTheDigitsOfAWorkbooksNumber) {
  EXPECT_EQ(shown_digits("0.30000000000000004"), "0.3");
  EXPECT_EQ(shown_digits("1.5E-3"), "0.0015");
  EXPECT_EQ(shown_digits("123456.78900000001"), "123456.789");
  EXPECT_EQ(shown_digits("000000000000000123"), "000000000000000123");
  EXPECT_FALSE(shown_digits("3.50802190001010016E17"));
  EXPECT_FALSE(shown_digits("350802190001010016"));
}

}  // namespace
}  // namespace huiliu::codecs
