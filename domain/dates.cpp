#include "domain/dates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "domain/folded_text.h"

namespace huiliu::domain {
namespace {

constexpr Date kLongTermDay{2099, 12, 31};
constexpr auto kLongTermWords = std::to_array<std::string_view>(
    {"长期", "永久", "长期有效", "无期限", "无固定期限", "至今", "99991231", "2099-12-31"});

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

// A cursor over folded text; each step consumes what it names and says whether it was there.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }
  bool literal(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool any_of(std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](auto word) { return literal(word); });
  }
  void blanks() {
    while (literal(" ") || literal("\t") || literal("\n") || literal("\r")) {
    }
  }
  // As many digits as there are, up to `most`; false when fewer than `least`.
  bool digits(std::size_t least, std::size_t most, int& value) {
    value = 0;
    std::size_t count = 0;
    for (; count < most && count < rest_.size() && is_digit(rest_[count]); ++count) {
      value = value * 10 + (rest_[count] - '0');
    }
    rest_.remove_prefix(count);
    return count >= least;
  }
  // One of 〇零○一二三四五六七八九, ten for 十.
  bool chinese_digit(int& value) {
    static constexpr auto kDigits = std::to_array<std::string_view>(
        {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"});
    for (std::size_t i = 0; i < kDigits.size(); ++i) {
      if (literal(kDigits[i])) {
        value = static_cast<int>(i);
        return true;
      }
    }
    value = 0;
    return literal("零") || literal("○");
  }

 private:
  std::string_view rest_;
};

bool chinese_year(Scanner& scan, int& year) {
  year = 0;
  for (int i = 0; i < 4; ++i) {
    int digit = 0;
    if (!scan.chinese_digit(digit) || digit == 10) return false;
    year = year * 10 + digit;
  }
  return true;
}

// 一 to 九十九, or digits one by one (一二).
bool chinese_number(Scanner& scan, int& value) {
  std::array<int, 3> parts{};
  std::size_t count = 0;
  while (count < parts.size() && scan.chinese_digit(parts[count])) ++count;
  if (count == 0) return false;
  value = 0;
  const auto end = parts.begin() + static_cast<std::ptrdiff_t>(count);
  const auto ten = std::find(parts.begin(), end, 10);
  if (ten == end) {
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + parts[i];
    return true;
  }
  if (ten - parts.begin() > 1 || end - ten > 2) return false;
  const int tens = ten == parts.begin() ? 1 : parts[0];
  const int ones = end - ten == 2 ? *(ten + 1) : 0;
  value = tens * 10 + ones;
  return ones != 10;
}

bool read_chinese(std::string_view text, Date& date) {
  Scanner scan(text);
  if (!chinese_year(scan, date.year) || !scan.literal("年")) return false;
  if (!chinese_number(scan, date.month) || !scan.literal("月")) return false;
  if (!chinese_number(scan, date.day)) return false;
  scan.any_of({"日", "号"});
  return scan.at_end();
}

// What may follow the day: nothing, or a time of which only hh:mm is looked at.
bool read_time_or_end(Scanner& scan) {
  if (scan.at_end()) return true;
  scan.any_of({" ", "T"});
  scan.blanks();
  int ignored = 0;
  return scan.digits(1, 2, ignored) && scan.literal(":") && scan.digits(2, 2, ignored);
}

bool read_separated(std::string_view text, std::size_t year_digits, Date& date) {
  Scanner scan(text);
  if (!scan.digits(year_digits, year_digits, date.year)) return false;
  scan.blanks();
  if (!scan.any_of({"-", "/", ".", "年"})) return false;
  scan.blanks();
  if (!scan.digits(1, 2, date.month)) return false;
  scan.blanks();
  if (!scan.any_of({"-", "/", ".", "月"})) return false;
  scan.blanks();
  if (!scan.digits(1, 2, date.day)) return false;
  scan.blanks();
  scan.any_of({"日", "号"});
  return read_time_or_end(scan);
}

bool read_compact(std::string_view text, Date& date) {
  if ((text.size() != 8 && text.size() != 14) || !all_digits(text)) return false;
  Scanner scan(text);
  return scan.digits(4, 4, date.year) && scan.digits(2, 2, date.month) &&
         scan.digits(2, 2, date.day);
}

std::int64_t to_number(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Excel counts from 1899-12-30 in the 1900 system (its 1900 has a 29 February).
bool read_excel_serial(std::string_view text, Date& date) {
  if (text.size() < 5 || !all_digits(text.substr(0, 5))) return false;
  const std::string_view fraction = text.substr(5);
  if (!fraction.empty() &&
      (fraction.size() < 2 || fraction[0] != '.' || !all_digits(fraction.substr(1)))) {
    return false;
  }
  date = date_of_days(days_since_epoch({1899, 12, 30}) +
                      static_cast<std::int32_t>(to_number(text.substr(0, 5))));
  return true;
}

bool read_epoch_ms(std::string_view text, Date& date) {
  if (text.size() != 13 || !all_digits(text)) return false;
  constexpr std::int64_t kDayMs = 86'400'000;
  constexpr std::int64_t kChinaOffsetMs = 8 * 3'600'000;
  date = date_of_days(static_cast<std::int32_t>((to_number(text) + kChinaOffsetMs) / kDayMs));
  return true;
}

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
  Date date;
  if (!read_separated(t, 4, date) && !read_compact(t, date) && !read_chinese(t, date) &&
      !read_excel_serial(t, date) && !read_epoch_ms(t, date)) {
    const bool two_digit_year = read_separated(t, 2, date);
    return {{}, two_digit_year ? DateError::kAmbiguousYear : DateError::kFormat};
  }
  const bool possible = date.year > 0 && is_calendar_day(date.year, date.month, date.day);
  if (!possible) return {date, DateError::kImpossible};
  const bool in_range = date.year >= 1900 && date.year <= 2100;
  return {date, in_range ? DateError::kOk : DateError::kRange};
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
