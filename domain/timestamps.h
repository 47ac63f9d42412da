#pragma once

#include <cstdint>
#include <string_view>

#include "domain/dates.h"

namespace huiliu::domain {

// A point in time as a department's program writes it.
struct ParsedTimestamp {
  Date date;                // the day in China
  std::int64_t utc_ms = 0;  // since 1970-01-01T00:00Z; a time without a zone is China's
  bool has_time = false;    // else midnight
  DateError error = DateError::kFormat;
};

// Every spelling that Excel, Java, JavaScript and databases give a date or a point in time, after
// width folding:
// - 2024-5-30, 2024/05/30, 2024.5.30, 2024年5月30日, 二〇二四年五月三十日, 20240530
// - any of these (but the Chinese numerals) and a time: 10:00, 10:00:00.000, T10:00:00Z, 10时30分,
//   上午10:00, 10:00 PM, with Z, +08:00, +0800, GMT+0800, CST (China), [Asia/Shanghai]
// - 20240530100000, 20240530100000123, 202405301000
// - Excel serials of the 1900 system (45442.4166), milliseconds (13 digits) and seconds (10 digits,
//   2001 to 2030) since 1970
// - Thu May 30 00:00:00 CST 2024, Thu May 30 2024 00:00:00 GMT+0800 (中国标准时间),
//   Wed, 29 May 2024 16:00:00 GMT, May 30, 2024 12:00:00 AM
// - 5/30/2024 and 30/5/2024 where one of the numbers is no month
// The whole text must be read: anything behind it is kFormat. kAmbiguousYear for years of two
// digits; kRange before 1900 and after 2100.
ParsedTimestamp parse_timestamp(std::string_view text);

// The day in China at an instant, counted from 1970-01-01; any instant.
std::int32_t china_day(std::int64_t utc_ms);

inline constexpr std::size_t kTimestampSize = 23;
// Writes China's time so that texts sort as times do: "2024-05-30 10:00:00", with ".123" behind it
// if there are milliseconds. Returns the number of bytes.
std::size_t format_timestamp(std::int64_t utc_ms, char (&out)[kTimestampSize]);

}  // namespace huiliu::domain
