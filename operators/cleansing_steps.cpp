#include "operators/cleansing_steps.h"

#include <array>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace huiliu::operators {
namespace {

constexpr CleansingFailure kDateFormat = {"E201_FORMAT", "not a date in a known form",
                                          "日期格式不符合要求"};
constexpr CleansingFailure kDateImpossible = {"E205_DATE_IMPOSSIBLE",
                                              "there is no such day in the calendar", "日期不存在"};

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Size of the full-width form at the start of `text` and the character it stands for, or nothing.
/// U+FF01..U+FF5E are three bytes EF BC 81..EF BD 9E; U+3000 is E3 80 80.
std::optional<char> half_of(std::string_view text) {
  if (text.size() < 3) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) == 0xE3 && byte(1) == 0x80 && byte(2) == 0x80) return ' ';
  if (byte(0) != 0xEF || (byte(1) != 0xBC && byte(1) != 0xBD)) return {};
  const unsigned code = ((byte(0) & 0x0Fu) << 12) | ((byte(1) & 0x3Fu) << 6) | (byte(2) & 0x3Fu);
  if (code < 0xFF01 || code > 0xFF5E) return {};
  return static_cast<char>(code - 0xFEE0);
}

Cleansed half_width(std::string_view text, std::string& buffer) {
  std::size_t at = 0;
  while (at < text.size() &&
         (static_cast<unsigned char>(text[at]) < 0xE3 || !half_of(text.substr(at)))) {
    ++at;
  }
  if (at == text.size()) return {text};
  buffer.assign(text.substr(0, at));
  while (at < text.size()) {
    if (const auto half = half_of(text.substr(at))) {
      buffer += *half;
      at += 3;
    } else {
      buffer += text[at++];
    }
  }
  return {buffer};
}

Cleansed trim(std::string_view text, std::string&) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return {text};
}

Cleansed collapse_blanks(std::string_view text, std::string& buffer) {
  bool plain = true;
  for (std::size_t i = 0; plain && i < text.size(); ++i) {
    plain = !is_blank(text[i]) || (text[i] == ' ' && i > 0 && !is_blank(text[i - 1]));
  }
  if (plain) return {text};
  buffer.clear();
  for (char c : text) {
    if (!is_blank(c)) {
      buffer += c;
    } else if (buffer.empty() || buffer.back() != ' ') {
      buffer += ' ';
    }
  }
  return {buffer};
}

Cleansed upper(std::string_view text, std::string& buffer) {
  std::size_t at = 0;
  while (at < text.size() && (text[at] < 'a' || text[at] > 'z')) ++at;
  if (at == text.size()) return {text};
  buffer.assign(text);
  for (; at < buffer.size(); ++at) {
    if (buffer[at] >= 'a' && buffer[at] <= 'z') buffer[at] = static_cast<char>(buffer[at] - 32);
  }
  return {buffer};
}

/// Takes one or two digits (or exactly `digits`) off the front.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  int number = 0;
  std::size_t size = 0;
  for (; size < most && size < text.size() && is_digit(text[size]); ++size) {
    number = number * 10 + (text[size] - '0');
  }
  if (size < least) return {};
  text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_day(int year, int month, int day) {
  static constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[static_cast<std::size_t>(month)] + (month == 2 && leap ? 1 : 0);
}

Cleansed date_simple(std::string_view text, std::string& buffer) {
  std::string_view rest = text;
  const auto year = take_number(rest, 4, 4);
  if (!year) return {.failure = &kDateFormat};
  const bool compact = text.size() == 8 && !rest.empty() && is_digit(rest.front());
  const bool chinese = !compact && take(rest, "年");
  const char separator = rest.empty() ? '\0' : rest.front();
  if (!compact && !chinese && separator != '-' && separator != '/')
    return {.failure = &kDateFormat};
  if (!compact && !chinese) rest.remove_prefix(1);
  const auto month = take_number(rest, compact ? 2 : 1, 2);
  if (!month || (chinese && !take(rest, "月"))) return {.failure = &kDateFormat};
  if (!compact && !chinese && !take(rest, {&separator, 1})) return {.failure = &kDateFormat};
  const auto day = take_number(rest, compact ? 2 : 1, 2);
  if (!day || (chinese && !take(rest, "日")) || !rest.empty()) return {.failure = &kDateFormat};
  if (!is_day(*year, *month, *day)) return {.failure = &kDateImpossible};
  if (text.size() == 10 && separator == '-') return {text};
  buffer.resize(10);
  const auto put = [&](std::size_t at, int number, std::size_t digits) {
    for (std::size_t i = digits; i-- > 0; number /= 10) {
      buffer[at + i] = static_cast<char>('0' + number % 10);
    }
  };
  put(0, *year, 4);
  buffer[4] = buffer[7] = '-';
  put(5, *month, 2);
  put(8, *day, 2);
  return {buffer};
}

struct Entry {
  std::string_view name;
  CleansingStep step;
  CleansingStep end_step;  ///< for the ends of periods; null: the same
  std::string_view doc;
};

constexpr Entry kEntries[] = {
    {"half_width", half_width, nullptr,
     "full-width ASCII (U+FF01..U+FF5E) and the ideographic blank become half-width"},
    {"trim", trim, nullptr, "no blanks at both ends"},
    {"collapse_blanks", collapse_blanks, nullptr, "runs of blanks become one space"},
    {"upper", upper, nullptr, "ASCII letters become capitals"},
    {"date_simple", date_simple, nullptr,
     "2019-3-5, 2019/3/5, 20190305 or 2019年3月5日 become 2019-03-05"},
};

}  // namespace

CleansingStep find_cleansing_step(std::string_view name, bool end) {
  for (const Entry& entry : kEntries) {
    if (entry.name != name) continue;
    return end && entry.end_step != nullptr ? entry.end_step : entry.step;
  }
  return nullptr;
}

const std::vector<std::string>& cleansing_step_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    for (const Entry& entry : kEntries) result.emplace_back(entry.name);
    return result;
  }();
  return names;
}

std::string cleansing_steps_doc() {
  std::string doc;
  for (const Entry& entry : kEntries) doc += fmt::format("- `{}`: {}\n", entry.name, entry.doc);
  return doc;
}

}  // namespace huiliu::operators
