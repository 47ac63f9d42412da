#include "domain/timestamps.h"

#include <gtest/gtest.h>

namespace huiliu::domain {
namespace {

std::string china(std::string_view text) {
  const ParsedTimestamp parsed = parse_timestamp(text);
  if (parsed.error != DateError::kOk) return std::string(name(parsed.error));
  char out[kTimestampSize];
  const std::size_t size = format_timestamp(parsed.utc_ms, out);
  return {out, size};
}

TEST(Timestamps, OneInstantInEverySpelling) {
  for (const char* text : {"2024-05-30T16:00:00.000Z",
                           "2024-05-31 00:00:00",
                           "2024-05-31T00:00:00+08:00",
                           "2024/5/31",
                           "2024-05-31T00:00:00.000+0800",
                           "2024-05-31T00:00:00+08:00[Asia/Shanghai]",
                           "2024-05-31T00:00[Asia/Shanghai]",
                           "2024-05-30T12:00:00-04:00",
                           "1717084800000",
                           "1717084800",
                           "20240531000000",
                           "20240531",
                           "20240530T160000Z",
                           "202405310000",
                           "20240531000000000",
                           "2024-05-31 00:00:00.0",
                           "Fri May 31 00:00:00 CST 2024",
                           "Fri May 31 2024 00:00:00 GMT+0800 (中国标准时间)",
                           "Fri May 31 2024 00:00:00 GMT+0800 (China Standard Time)",
                           "Thu, 30 May 2024 16:00:00 GMT",
                           "May 31, 2024 12:00:00 AM",
                           "May 31, 2024, 12:00:00 AM",
                           "31-May-2024",
                           "31 May 2024",
                           "2024年5月31日",
                           "2024年5月31日 0时",
                           "2024年05月31日00:00",
                           "2024年5月31日星期五",
                           "2024/5/31 上午12:00:00",
                           "5/31/2024, 12:00:00 AM",
                           "31/5/2024",
                           "45443",
                           "45443.0",
                           "２０２４－０５－３１　００：００",
                           "二〇二四年五月三十一日",
                           "Thu May 30 16:00:00 UTC 2024"}) {
    EXPECT_EQ(china(text), "2024-05-31 00:00:00") << text;
  }
}

TEST(Timestamps, TimesOfTheDay) {
  EXPECT_EQ(china("2024/10/8 9:00:00"), "2024-10-08 09:00:00");
  EXPECT_EQ(china("2024/10/8 9:05"), "2024-10-08 09:05:00");
  EXPECT_EQ(china("2024/10/8 下午3:05:06"), "2024-10-08 15:05:06");
  EXPECT_EQ(china("2024/10/8 3:05:06 PM"), "2024-10-08 15:05:06");
  EXPECT_EQ(china("2024-10-08T09:00:00.125"), "2024-10-08 09:00:00.125");
  EXPECT_EQ(china("2024-10-08T09:00:00.123456789Z"), "2024-10-08 17:00:00.123");
  EXPECT_EQ(china("2024年10月8日10时30分15秒"), "2024-10-08 10:30:15");
  EXPECT_EQ(china("45573.4166666667"), "2024-10-08 10:00:00");
  EXPECT_EQ(china("20241008091011"), "2024-10-08 09:10:11");
  EXPECT_EQ(china("20241008 091011"), "2024-10-08 09:10:11");
  EXPECT_EQ(china("2024-10-08 24:00:00"), "2024-10-08 23:59:59.999");
  EXPECT_FALSE(parse_timestamp("2024-10-08").has_time);
  EXPECT_TRUE(parse_timestamp("2024-10-08 00:00").has_time);
}

TEST(Timestamps, WhatIsBehindThemIsRead) {
  for (const char* text : {"2024-05-30 10:00x",
                           "2024-05-30 10:00:00 abc",
                           "2024-05-30abc",
                           "2024-05-30 (注)",
                           "2024-05-30T10:00:00+8:0",
                           "2024-05-30 10:00:00 +99:00",
                           "2024-05-30 10",
                           "20240530x",
                           "202405301",
                           "20240530100",
                           "2024053010",
                           "123456789012345",
                           "5/6/2024",
                           "2024-05-30 -",
                           "May 2024",
                           "Foo 30 2024",
                           "2024-05",
                           "",
                           "10:00",
                           "1e10",
                           "45443.",
                           "2024-05-30T"}) {
    EXPECT_EQ(china(text), "FORMAT") << text;
  }
  EXPECT_EQ(china("2024-02-30 10:00"), "IMPOSSIBLE");
  EXPECT_EQ(china("2024-02-28 25:00"), "IMPOSSIBLE");
  EXPECT_EQ(china("20241399"), "IMPOSSIBLE");
  EXPECT_EQ(china("24-5-30"), "AMBIGUOUS_YEAR");
  EXPECT_EQ(china("9999999999999"), "RANGE");
  EXPECT_EQ(china("1850-01-01"), "RANGE");
}

TEST(Timestamps, TextsSortAsTimesDo) {
  EXPECT_LT(china("2024/9/30 10:00:00"), china("2024/10/8 9:00:00"));
  EXPECT_LT(china("2023/7/30"), china("2023/10/1"));
  EXPECT_EQ(china("1969-12-31T23:59:59Z"), "1970-01-01 07:59:59");
  EXPECT_EQ(china("1955-06-01"), "1955-06-01 00:00:00");
}

}  // namespace
}  // namespace huiliu::domain
