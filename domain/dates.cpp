#include "domain/dates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "domain/folded_text.h"
#include "domain/timestamps.h"

namespace huiliu::domain {
namespace {

constexpr Date kLongTermDay{2099, 12, 31};
constexpr auto kLongTermWords = std::to_array<std::string_view>(
    {"长期", "永久", "长期有效", "无期限", "无固定期限", "至今", "99991231", "2099-12-31"});

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool pair_of_digits(const char* text, int& value) {
  if (!is_digit(text[0]) || !is_digit(text[1])) return false;
  value = (text[0] - '0') * 10 + (text[1] - '0');
  return true;
}

// One or two digits at `at`, which moves past them.
bool short_number(std::string_view text, std::size_t& at, int& value) {
  if (at >= text.size() || !is_digit(text[at])) return false;
  value = text[at++] - '0';
  if (at < text.size() && is_digit(text[at])) value = value * 10 + (text[at++] - '0');
  return true;
}

void write_digits(char* out, int count, int value) {
  for (; count > 0; value /= 10) out[--count] = static_cast<char>('0' + value % 10);
}

}  // namespace

std::string_view name(DateError error) {
  switch (error) {
    case DateError::kOk:
      return "OK";
    case DateError::kFormat:
      return "FORMAT";
    case DateError::kAmbiguousYear:
      return "AMBIGUOUS_YEAR";
    case DateError::kImpossible:
      return "IMPOSSIBLE";
    case DateError::kLongNotAllowed:
      return "LONG_NOT_ALLOWED";
    case DateError::kRange:
      return "RANGE";
  }
  return "UNKNOWN";
}

ParsedDate parse_date(std::string_view text, LongTerm long_term) {
  const FoldedText folded(text);
  if (folded.too_long()) return {{}, DateError::kFormat};
  const std::string_view t = folded.view();
  if (std::find(kLongTermWords.begin(), kLongTermWords.end(), t) != kLongTermWords.end()) {
    if (long_term == LongTerm::kAccept) return {kLongTermDay, DateError::kOk};
    return {{}, DateError::kLongNotAllowed};
  }
  const ParsedTimestamp parsed = parse_timestamp(t);
  return {parsed.date, parsed.error};
}

bool parse_date_simple(std::string_view text, Date& date) {
  int century = 0;
  if (text.size() < 8 || !pair_of_digits(text.data(), century) ||
      !pair_of_digits(text.data() + 2, date.year)) {
    return false;
  }
  date.year += century * 100;
  std::size_t at = 5;
  if (text[4] == '-' || text[4] == '/') {
    if (!short_number(text, at, date.month) || at >= text.size() || text[at++] != text[4] ||
        !short_number(text, at, date.day)) {
      return false;
    }
  } else if (is_digit(text[4])) {
    if (text.size() != 8 || !pair_of_digits(text.data() + 4, date.month) ||
        !pair_of_digits(text.data() + 6, date.day)) {
      return false;
    }
    at = text.size();
  } else {
    at = 7;
    if (text.substr(4, 3) != "年" || !short_number(text, at, date.month) ||
        text.substr(at, 3) != "月") {
      return false;
    }
    at += 3;
    if (!short_number(text, at, date.day) || text.substr(at, 3) != "日") return false;
    at += 3;
  }
  return at == text.size() && is_calendar_day(date.year, date.month, date.day);
}

bool is_calendar_day(int year, int month, int day) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap_day = month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
  return day <= kDays[static_cast<std::size_t>(month - 1)] + (leap_day ? 1 : 0);
}

void format_iso(Date date, char (&out)[kIsoDateSize]) {
  write_digits(out, 4, date.year);
  write_digits(out + 5, 2, date.month);
  write_digits(out + 8, 2, date.day);
  out[4] = out[7] = '-';
}

std::int32_t days_since_epoch(Date date) {
  const std::chrono::year_month_day day{std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day))};
  return static_cast<std::int32_t>(std::chrono::sys_days(day).time_since_epoch().count());
}

Date date_of_days(std::int32_t days) {
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(days))};
  return {static_cast<int>(day.year()), static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day()))};
}

}  // namespace huiliu::domain
