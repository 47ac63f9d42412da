#include "domain/dates.h"

#include <gtest/gtest.h>

#include "domain/test_vectors.h"

namespace huiliu::domain {
namespace {

std::string iso(Date date) {
  char out[kIsoDateSize];
  format_iso(date, out);
  return {out, sizeof out};
}

std::string simple(std::string_view text) {
  Date date;
  return parse_date_simple(text, date) ? iso(date) : "";
}

DateError error_of(std::string_view text) { return parse_date(text).error; }

TEST(Dates, FollowTheVectors) {
  const auto document = testing::read_vectors("text_vectors.json");
  ASSERT_TRUE(document.IsObject());
  for (const auto& row : document["norm_date"].GetArray()) {
    const ParsedDate parsed = parse_date(testing::text_of(row[0]));
    if (row[1].IsString()) {
      ASSERT_EQ(parsed.error, DateError::kOk) << row[0].GetString();
      EXPECT_EQ(iso(parsed.date), testing::text_of(row[1]));
    } else {
      EXPECT_EQ(name(parsed.error), testing::text_of(row[2])) << row[0].GetString();
    }
  }
}

TEST(Dates, LongTermIsADayWhereAllowed) {
  EXPECT_EQ(iso(parse_date("长期", LongTerm::kAccept).date), "2099-12-31");
  EXPECT_EQ(error_of("2099-12-31"), DateError::kLongNotAllowed);
  EXPECT_EQ(parse_date("2019-01-01", LongTerm::kAccept).error, DateError::kOk);
}

TEST(Dates, RareFormsAreRead) {
  EXPECT_EQ(iso(parse_date(" 2019 年 3 月 5 号 ").date), "2019-03-05");
  EXPECT_EQ(iso(parse_date("20190305101112").date), "2019-03-05");
  EXPECT_EQ(iso(parse_date("二〇二〇年十月十日").date), "2020-10-10");
  EXPECT_EQ(iso(parse_date("二○二零年一二月三十一号").date), "2020-12-31");
  EXPECT_EQ(iso(parse_date("43529.75").date), "2019-03-05");
  EXPECT_EQ(iso(parse_date("1551801599999").date), "2019-03-05");
  EXPECT_EQ(iso(parse_date("1551801600000").date), "2019-03-06");
}

TEST(Dates, OtherFormsHaveTheirError) {
  for (const char* text :
       {"", "2019", "2019-3", "2019-3-5x", "2019-003-05", "43529.", "435290",
        "二〇一九年十十月一日", "十九年三月一日", "2019-3-5 1", "1234567890123456"}) {
    EXPECT_EQ(error_of(text), DateError::kFormat) << text;
  }
  EXPECT_EQ(error_of("19年3月5日"), DateError::kAmbiguousYear);
  EXPECT_EQ(error_of("1899-12-31"), DateError::kRange);
  EXPECT_EQ(error_of("2101-01-01"), DateError::kRange);
  EXPECT_EQ(error_of("99999"), DateError::kRange);
  EXPECT_EQ(error_of(std::string(500, '1')), DateError::kFormat);
}

TEST(Dates, SimpleFormsAreRead) {
  for (const char* text :
       {"2019-03-05", "2019-3-5", "2019/3/05", "20190305", "2019年3月5日", "2019年03月05日"}) {
    EXPECT_EQ(simple(text), "2019-03-05") << text;
  }
  EXPECT_EQ(simple("0000-1-1"), "0000-01-01");
  EXPECT_EQ(simple("9999-12-31"), "9999-12-31");
  EXPECT_EQ(simple("2020-2-29"), "2020-02-29");
}

TEST(Dates, SimpleRefusesTheRest) {
  for (const char* text :
       {"", "2019", "2019-3/5", "2019-3-", "2019-3-5 ", " 2019-3-5", "2019-2-29", "1900-2-29",
        "2019-13-1", "2019-0-10", "2019-03-005", "201903055", "2019年3月5", "2019年3-5日",
        "2019年3月5日日", "2019.3.05", "201-03-05", "2019\xE5\xB9", "2019年3月\xE6\x97"}) {
    EXPECT_EQ(simple(text), "") << text;
  }
}

TEST(Dates, DaysGoThereAndBack) {
  EXPECT_EQ(days_since_epoch({1970, 1, 1}), 0);
  EXPECT_EQ(days_since_epoch({2019, 3, 5}), 17960);
  for (int days = -719528; days < 2932896; days += 13) {
    ASSERT_EQ(days_since_epoch(date_of_days(days)), days);
  }
  EXPECT_EQ(yyyymmdd(date_of_days(17960)), 20190305);
}

}  // namespace
}  // namespace huiliu::domain
