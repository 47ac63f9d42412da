#include "domain/timestamps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "domain/folded_text.h"

namespace huiliu::domain {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kChinaOffsetMs = 8 * kHourMs;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// A cursor over folded text; each step consumes what it names and says whether it was there.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  void skip(std::size_t bytes) { rest_.remove_prefix(bytes); }
  bool literal(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  // An English word in any case; no letter may follow it.
  bool word(std::string_view small) {
    if (rest_.size() < small.size()) return false;
    for (std::size_t i = 0; i < small.size(); ++i) {
      if (lower(rest_[i]) != small[i]) return false;
    }
    const char next = rest_.size() > small.size() ? lower(rest_[small.size()]) : ' ';
    if (next >= 'a' && next <= 'z') return false;
    rest_.remove_prefix(small.size());
    return true;
  }
  bool any_of(std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](auto word) { return literal(word); });
  }
  bool blanks() {
    const std::size_t before = rest_.size();
    while (literal(" ") || literal("\t") || literal("\n") || literal("\r")) {
    }
    return rest_.size() != before;
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

// What was read: a day, the time of the day, and how far that time is from UTC.
struct Reading {
  Date date;
  std::int64_t day_ms = 0;
  std::int64_t offset_ms = kChinaOffsetMs;
  bool has_time = false;
  bool impossible = false;  // such as 25:00
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

bool read_chinese(std::string_view text, Reading& into) {
  Scanner scan(text);
  Date& date = into.date;
  if (!chinese_year(scan, date.year) || !scan.literal("年")) return false;
  if (!chinese_number(scan, date.month) || !scan.literal("月")) return false;
  if (!chinese_number(scan, date.day)) return false;
  scan.any_of({"日", "号"});
  return scan.at_end();
}

// A zone behind a time, as an offset; false if what stands there is none.
bool read_offset(Scanner& scan, std::int64_t& offset_ms) {
  const bool minus = scan.literal("-");
  if (!minus && !scan.literal("+")) return false;
  int hours = 0, minutes = 0;
  if (!scan.digits(1, 2, hours)) return false;
  const bool colon = scan.literal(":");
  if (!scan.digits(2, 2, minutes) && colon) return false;
  if (hours > 14 || minutes > 59) return false;
  offset_ms = hours * kHourMs + minutes * kMinuteMs;
  if (minus) offset_ms = -offset_ms;
  return true;
}

// Names that programs put behind an offset: [Asia/Shanghai], (中国标准时间).
void skip_zone_name(Scanner& scan) {
  Scanner ahead = scan;
  ahead.blanks();
  const bool square = ahead.literal("[");
  if (!square && !ahead.literal("(")) return;
  const std::size_t close = ahead.rest().find(square ? ']' : ')');
  if (close == std::string_view::npos) return;
  ahead.skip(close + 1);
  scan = ahead;
}

// Nothing, or a zone; false if something else stands there.
bool read_zone(Scanner& scan, Reading& into) {
  Scanner ahead = scan;
  ahead.blanks();
  std::int64_t offset = kChinaOffsetMs;
  if (ahead.word("z") || ahead.word("utc") || ahead.word("gmt")) {
    offset = 0;
    Scanner further = ahead;
    if (read_offset(further, offset)) ahead = further;
  } else if (ahead.word("cst")) {
    // In the programs of departments CST is China Standard Time.
  } else if (ahead.literal("[Asia/Shanghai]")) {
    scan = ahead;
    return true;
  } else if (!read_offset(ahead, offset)) {
    return true;
  }
  skip_zone_name(ahead);
  into.offset_ms = offset;
  scan = ahead;
  return true;
}

// Which half of the day a Chinese or English word says.
enum class Half { kNone, kMorning, kAfternoon };

Half chinese_half(Scanner& scan) {
  if (scan.any_of({"上午", "凌晨", "早上"})) return Half::kMorning;
  if (scan.any_of({"下午", "晚上", "中午"})) return Half::kAfternoon;
  return Half::kNone;
}

Half english_half(Scanner& scan) {
  Scanner ahead = scan;
  ahead.blanks();
  Half half = Half::kNone;
  if (ahead.word("am") || ahead.word("a.m.")) half = Half::kMorning;
  if (half == Half::kNone && (ahead.word("pm") || ahead.word("p.m."))) half = Half::kAfternoon;
  if (half != Half::kNone) scan = ahead;
  return half;
}

// 12 is the first hour of its half.
int hour_of(int hour, Half half) {
  if (half == Half::kNone) return hour;
  if (hour > 12) return half == Half::kAfternoon ? hour : 99;
  return hour % 12 + (half == Half::kAfternoon ? 12 : 0);
}

int read_fraction(Scanner& scan) {
  int value = 0;
  int digits = 0;
  for (; !scan.at_end() && is_digit(scan.rest().front()); scan.skip(1), ++digits) {
    if (digits < 3) value = value * 10 + (scan.rest().front() - '0');
  }
  for (; digits < 3; ++digits) value *= 10;
  return value;
}

// hh:mm[:ss[.fff]] or 10时[30分[15秒]]; the word for the half of the day before or behind it.
bool read_clock(Scanner& scan, Reading& into) {
  Half half = chinese_half(scan);
  scan.blanks();
  int hour = 0, minute = 0, second = 0, fraction = 0;
  if (!scan.digits(1, 2, hour)) return false;
  if (scan.any_of({"时", "点"})) {
    if (scan.digits(1, 2, minute)) {
      if (!scan.literal("分")) return false;
      if (scan.digits(1, 2, second) && !scan.literal("秒")) return false;
    }
  } else {
    if (!scan.literal(":") || !scan.digits(2, 2, minute)) return false;
    if (scan.literal(":")) {
      if (!scan.digits(2, 2, second)) return false;
      Scanner ahead = scan;
      if (ahead.any_of({".", ","}) && !ahead.at_end() && is_digit(ahead.rest().front())) {
        fraction = read_fraction(ahead);
        scan = ahead;
      }
    }
  }
  if (half == Half::kNone) half = english_half(scan);
  hour = hour_of(hour, half);
  // 24:00 is the end of the day it stands behind.
  const bool end_of_day = hour == 24 && minute == 0 && second == 0;
  into.impossible = (hour > 23 && !end_of_day) || minute > 59 || second > 60;
  into.has_time = true;
  into.day_ms = hour * kHourMs + minute * kMinuteMs + second * 1000 + fraction;
  if (end_of_day) into.day_ms = kDayMs - 1;
  return true;
}

void skip_weekday(Scanner& scan) {
  Scanner ahead = scan;
  ahead.blanks();
  if (!ahead.any_of({"星期", "周"})) return;
  if (ahead.any_of({"一", "二", "三", "四", "五", "六", "日", "天"})) scan = ahead;
}

// What may follow a day: nothing, or a time with or without a zone.
bool read_time_or_end(Scanner& scan, Reading& into) {
  skip_weekday(scan);
  if (scan.at_end()) return true;
  scan.blanks();
  scan.any_of({"T", "t"});
  scan.blanks();
  return read_clock(scan, into) && read_zone(scan, into) && scan.at_end();
}

bool separator(Scanner& scan, std::string_view word) {
  scan.blanks();
  const bool there = scan.any_of({"-", "/", "."}) || scan.literal(word);
  scan.blanks();
  return there;
}

bool read_separated(std::string_view text, std::size_t year_digits, Reading& into) {
  Scanner scan(text);
  Date& date = into.date;
  if (!scan.digits(year_digits, year_digits, date.year) || !separator(scan, "年")) return false;
  if (!scan.digits(1, 2, date.month) || !separator(scan, "月")) return false;
  if (!scan.digits(1, 2, date.day)) return false;
  Scanner ahead = scan;
  ahead.blanks();
  if (ahead.any_of({"日", "号"})) scan = ahead;
  return read_time_or_end(scan, into);
}

// 5/30/2024 or 30/5/2024: read only where one order is possible.
bool read_year_last(std::string_view text, Reading& into) {
  Scanner scan(text);
  int first = 0, second = 0;
  if (!scan.digits(1, 2, first) || !scan.any_of({"/", "-", "."})) return false;
  if (!scan.digits(1, 2, second) || !scan.any_of({"/", "-", "."})) return false;
  if (!scan.digits(4, 4, into.date.year)) return false;
  if (first <= 12 && second <= 12 && first != second) return false;
  into.date.month = std::min(first, second);
  into.date.day = std::max(first, second);
  scan.literal(",");
  return read_time_or_end(scan, into);
}

// yyyymmdd, with hhmm, hhmmss or hhmmssfff behind it; or a T or a blank and a time.
bool read_compact(std::string_view text, Reading& into) {
  Scanner scan(text);
  if (text.size() < 8 || !all_digits(text.substr(0, 8))) return false;
  Date& date = into.date;
  scan.digits(4, 4, date.year);
  scan.digits(2, 2, date.month);
  scan.digits(2, 2, date.day);
  if (scan.at_end()) return true;
  const bool joined = text.size() >= 9 && is_digit(text[8]);
  if (joined &&
      ((text.size() != 12 && text.size() != 14 && text.size() != 17) || !all_digits(text))) {
    return false;
  }
  if (!joined && !scan.any_of({"T", "t", " "})) return false;
  Scanner ahead = scan;
  int hour = 0, minute = 0, second = 0, fraction = 0;
  if (!ahead.digits(2, 2, hour) || !ahead.digits(2, 2, minute)) return read_time_or_end(scan, into);
  ahead.digits(2, 2, second);
  if (joined) {
    ahead.digits(3, 3, fraction);
  } else if (ahead.literal(".")) {
    fraction = read_fraction(ahead);
  }
  into.has_time = true;
  into.impossible = hour > 23 || minute > 59 || second > 60;
  into.day_ms = hour * kHourMs + minute * kMinuteMs + second * 1000 + fraction;
  return read_zone(ahead, into) && ahead.at_end();
}

std::int64_t to_number(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Excel counts from 1899-12-30 in the 1900 system (its 1900 has a 29 February).
bool read_excel_serial(std::string_view text, Reading& into) {
  if (text.size() < 5 || !all_digits(text.substr(0, 5))) return false;
  const std::string_view fraction = text.substr(5);
  if (!fraction.empty() &&
      (fraction.size() < 2 || fraction[0] != '.' || !all_digits(fraction.substr(1)))) {
    return false;
  }
  into.date = date_of_days(days_since_epoch({1899, 12, 30}) +
                           static_cast<std::int32_t>(to_number(text.substr(0, 5))));
  if (fraction.empty()) return true;
  double part = 0, place = 0.1;
  for (const char c : fraction.substr(1)) {
    part += (c - '0') * place;
    place /= 10;
  }
  into.has_time = true;
  // To the second: a fraction of a day holds no more.
  into.day_ms =
      std::min<std::int64_t>(static_cast<std::int64_t>(std::llround(part * 86'400)), 86'399) * 1000;
  return true;
}

void set_instant(std::int64_t utc_ms, Reading& into) {
  const std::int32_t day = china_day(utc_ms);
  into.date = date_of_days(day);
  into.day_ms = utc_ms + kChinaOffsetMs - day * kDayMs;
  into.has_time = true;
}

bool read_since_epoch(std::string_view text, Reading& into) {
  if ((text.size() != 13 && text.size() != 10) || !all_digits(text)) return false;
  const std::int64_t value = to_number(text);
  // Beyond 2030 ten digits are rather a day and an hour (2024053010), which nobody can tell apart.
  constexpr std::int64_t kLastSecond = 1'900'000'000;
  if (text.size() == 10 && (value < 1'000'000'000 || value >= kLastSecond)) return false;
  set_instant(text.size() == 10 ? value * 1000 : value, into);
  return true;
}

bool month_name(Scanner& scan, int& month) {
  static constexpr auto kShort = std::to_array<std::string_view>(
      {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"});
  static constexpr auto kLong = std::to_array<std::string_view>(
      {"january", "february", "march", "april", "may", "june", "july", "august", "september",
       "october", "november", "december"});
  for (std::size_t i = 0; i < kShort.size(); ++i) {
    if (scan.word(kLong[i]) || scan.word(kShort[i])) {
      month = static_cast<int>(i) + 1;
      return true;
    }
  }
  return false;
}

void skip_english_weekday(Scanner& scan) {
  for (const char* day : {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday",
                          "wednesday", "thursday", "friday", "saturday", "sunday"}) {
    if (!scan.word(day)) continue;
    scan.literal(",");
    scan.blanks();
    return;
  }
}

// May 30 2024 …, May 30 00:00:00 CST 2024, 29 May 2024 …, 30-May-2024.
bool read_english(std::string_view text, Reading& into) {
  Scanner scan(text);
  skip_english_weekday(scan);
  Date& date = into.date;
  const bool month_first = month_name(scan, date.month);
  if (month_first) scan.blanks();
  if (!scan.digits(1, 2, date.day)) return false;
  if (month_first) {
    scan.literal(",");
  } else {
    if (!scan.literal("-")) scan.blanks();
    if (!month_name(scan, date.month)) return false;
    scan.literal("-");
  }
  scan.blanks();
  Scanner ahead = scan;
  if (ahead.digits(4, 4, date.year) && (ahead.at_end() || !is_digit(ahead.rest().front()))) {
    ahead.literal(",");
    return read_time_or_end(ahead, into);
  }
  // Java's Date.toString() has the year behind the zone.
  if (!read_clock(scan, into) || !read_zone(scan, into)) return false;
  scan.blanks();
  return scan.digits(4, 4, date.year) && scan.at_end();
}

using Read = bool (*)(std::string_view, Reading&);

bool read_full_year(std::string_view text, Reading& into) { return read_separated(text, 4, into); }

std::optional<Reading> read_any(std::string_view text) {
  static constexpr Read kReads[] = {read_full_year,   read_compact, read_excel_serial,
                                    read_since_epoch, read_chinese, read_year_last,
                                    read_english};
  for (const Read read : kReads) {
    Reading reading;
    if (read(text, reading)) return reading;
  }
  return std::nullopt;
}

}  // namespace

ParsedTimestamp parse_timestamp(std::string_view text) {
  ParsedTimestamp parsed;
  const FoldedText folded(text);
  if (folded.too_long()) return parsed;
  const auto reading = read_any(folded.view());
  if (!reading) {
    Reading short_year;
    if (read_separated(folded.view(), 2, short_year)) parsed.error = DateError::kAmbiguousYear;
    return parsed;
  }
  parsed.date = reading->date;
  const Date& date = parsed.date;
  if (reading->impossible || date.year <= 0 || !is_calendar_day(date.year, date.month, date.day)) {
    parsed.error = DateError::kImpossible;
    return parsed;
  }
  parsed.utc_ms = days_since_epoch(date) * kDayMs + reading->day_ms - reading->offset_ms;
  parsed.has_time = reading->has_time;
  if (reading->offset_ms != kChinaOffsetMs) {
    parsed.date = date_of_days(china_day(parsed.utc_ms));
  }
  const bool in_range = parsed.date.year >= 1900 && parsed.date.year <= 2100;
  parsed.error = in_range ? DateError::kOk : DateError::kRange;
  return parsed;
}

std::int32_t china_day(std::int64_t utc_ms) {
  const std::int64_t china = utc_ms + kChinaOffsetMs;
  return static_cast<std::int32_t>(china >= 0 ? china / kDayMs : (china - kDayMs + 1) / kDayMs);
}

std::size_t format_timestamp(std::int64_t utc_ms, char (&out)[kTimestampSize]) {
  const std::int32_t day = china_day(utc_ms);
  const std::int64_t in_day = utc_ms + kChinaOffsetMs - day * kDayMs;
  char date[kIsoDateSize];
  format_iso(date_of_days(day), date);
  std::copy_n(date, kIsoDateSize, out);
  const auto put = [&out](std::size_t at, std::int64_t value, int digits) {
    for (; digits > 0; value /= 10)
      out[at + static_cast<std::size_t>(--digits)] = static_cast<char>('0' + value % 10);
  };
  out[10] = ' ';
  put(11, in_day / kHourMs, 2);
  out[13] = ':';
  put(14, in_day / kMinuteMs % 60, 2);
  out[16] = ':';
  put(17, in_day / 1000 % 60, 2);
  if (in_day % 1000 == 0) return 19;
  out[19] = '.';
  put(20, in_day % 1000, 3);
  return kTimestampSize;
}

}  // namespace huiliu::domain
