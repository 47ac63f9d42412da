#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace huiliu::domain {

// A day of the proleptic Gregorian calendar.
struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
  friend bool operator==(const Date&, const Date&) = default;
};

enum class DateError : std::uint8_t {
  kOk,
  kFormat,
  kAmbiguousYear,   // two-digit year
  kImpossible,      // no such day
  kLongNotAllowed,  // 长期 and its like where only a day will do
  kRange            // before 1900 or after 2100
};

// Stable name for receipts, such as "AMBIGUOUS_YEAR".
std::string_view name(DateError error);

struct ParsedDate {
  Date date;  // meaningful when error is kOk
  DateError error = DateError::kFormat;
};

// What 长期, 永久, 2099-12-31, ... mean: an error, or the day 2099-12-31 (for end dates).
enum class LongTerm : std::uint8_t { kRefuse, kAccept };

// All forms departments send: those of parse_timestamp (domain/timestamps.h), of which the day in
// China is taken (2024-05-29T16:00:00Z is 2024-05-30), and the words for a long term.
ParsedDate parse_date(std::string_view text, LongTerm long_term = LongTerm::kRefuse);

// YYYY-M-D, YYYY/M/D, YYYYMMDD and YYYY年M月D日 only, without blanks and without a limit on the
// year. False, and `date` unspecified, when the text is none of them or no such day exists.
bool parse_date_simple(std::string_view text, Date& date);

bool is_calendar_day(int year, int month, int day);

inline constexpr std::size_t kIsoDateSize = 10;
// Writes YYYY-MM-DD without end mark; requires a year from 0 to 9999.
void format_iso(Date date, char (&out)[kIsoDateSize]);

// Days since 1970-01-01; requires a calendar day.
std::int32_t days_since_epoch(Date date);
// Requires a year from 0 to 9999 to come out.
Date date_of_days(std::int32_t days);

// yyyymmdd as one number, for comparisons and `today` arguments.
constexpr int yyyymmdd(Date date) { return date.year * 10000 + date.month * 100 + date.day; }

}  // namespace huiliu::domain
