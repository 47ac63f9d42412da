#include "codecs/value_parsers.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "domain/masking.h"
#include "domain/timestamps.h"
#include "formats/encoding.h"
#include "formats/one_json.h"

namespace huiliu::codecs {

using runtime::Type;
using runtime::Value;

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes 1 to `most` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t n = 0;
  int value = 0;
  while (n < most && n < text.size() && is_digit(text[n])) value = value * 10 + (text[n++] - '0');
  if (n < least) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// Milliseconds of the day, less the zone's offset. `text` is what follows the date.
std::optional<std::int64_t> parse_time(std::string_view text) {
  constexpr std::int64_t kMinute = 60'000;
  std::int64_t offset = 8 * 60 * kMinute;
  if (text.empty()) return -offset;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_number(text, 1, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = (*hour * 60 + *minute) * kMinute;
  if (take(text, ':')) {
    const auto second = take_number(text, 2, 2);
    if (!second || *second > 59) return std::nullopt;
    ms += *second * 1000;
    if (take(text, '.')) {
      int scale = 100;
      if (text.empty() || !is_digit(text.front())) return std::nullopt;
      for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), scale /= 10) {
        ms += (text.front() - '0') * scale;
      }
    }
  }
  if (text == "Z") return ms;
  if (text.empty()) return ms - offset;
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hours = take_number(text, 2, 2);
  take(text, ':');
  const auto minutes = take_number(text, 2, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59 || !text.empty()) return std::nullopt;
  offset = (*hours * 60 + *minutes) * kMinute;
  return west ? ms + offset : ms - offset;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

namespace {

/// yyyy-mm-dd or yyyy/mm/dd with an optional time and zone: what programs write most.
std::optional<std::int64_t> parse_common(std::string_view text) {
  const auto year = take_number(text, 4, 4);
  const char between = text.empty() ? '\0' : text.front();
  if (!year || *year < 1900 || *year > 2100 || (between != '-' && between != '/')) return {};
  take(text, between);
  const auto month = take_number(text, 1, 2);
  if (!month || !take(text, between)) return std::nullopt;
  const auto day = take_number(text, 1, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const auto time = parse_time(text);
  if (!time) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86'400'000} + *time;
}

}  // namespace

bool is_plausible_moment(std::int64_t ms) {
  constexpr std::int64_t kFrom = -2'208'988'800'000;  // 1900-01-01
  constexpr std::int64_t kTo = 4'133'980'800'000;     // 2101-01-01
  return ms >= kFrom && ms < kTo;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  constexpr std::size_t kMilliseconds = 13;
  if (text.size() == kMilliseconds) {
    const auto ms = parse_integer(text);
    if (ms && *ms > 0) return is_plausible_moment(*ms) ? ms : std::nullopt;
  }
  if (const auto common = parse_common(text)) return common;
  const domain::ParsedTimestamp parsed = domain::parse_timestamp(text);
  if (parsed.error != domain::DateError::kOk) return std::nullopt;
  return parsed.utc_ms;
}

std::optional<std::int64_t> parse_number_timestamp(std::string_view digits) {
  constexpr std::size_t kShortestDate = 8;
  if (digits.size() >= kShortestDate && digits.front() != '-') {
    if (const auto moment = parse_timestamp(digits)) return moment;
    // Digits in the form of a date and a time that is none are no milliseconds either.
    if (digits.size() == 14 || digits.size() == 17) return std::nullopt;
  }
  const auto ms = parse_integer(digits);
  return ms && is_plausible_moment(*ms) ? ms : std::nullopt;
}

std::optional<double> parse_real(std::string_view text) {
  double real = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  // from_chars knows the words nan and infinity.
  if (!std::isfinite(real)) return std::nullopt;
  return real;
}

std::optional<std::int64_t> parse_whole(std::string_view text) {
  if (const auto integer = parse_integer(text)) return integer;
  if (text.find_first_of(".eE") == std::string_view::npos) return std::nullopt;
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it digits are lost
  const auto real = parse_real(text);
  if (!real || std::fabs(*real) > kExact || std::floor(*real) != *real) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

/// How deep the JSON of a cell may be nested: as `max_depth` is when nobody says it.

std::optional<Value> parse_cell(Type type, std::string_view text) {
  switch (type) {
    case Type::kInt64:
      if (const auto integer = parse_whole(text)) return Value::of_integer(*integer);
      return std::nullopt;
    case Type::kTimestamp:
      if (const auto moment = parse_timestamp(text)) return Value::of_integer(*moment);
      return std::nullopt;
    case Type::kFloat64:
      if (const auto real = parse_real(text)) return Value::of_real(*real);
      return std::nullopt;
    case Type::kBool:
      if (text == "true" || text == "TRUE" || text == "1" || text == "是") {
        return Value::of_bool(true);
      }
      if (text == "false" || text == "FALSE" || text == "0" || text == "否") {
        return Value::of_bool(false);
      }
      return std::nullopt;
    case Type::kJson:
      if (formats::is_one_json(text)) return Value::of_text(text);
      return std::nullopt;
    default:
      return Value::of_text(text);
  }
}

bool is_short_number(std::string_view text) {
  constexpr std::size_t kDigits = 15;
  return text.size() <= kDigits && text.find_first_of("eE") == std::string_view::npos;
}

std::optional<std::string> shown_digits(std::string_view text) {
  constexpr int kDigitsBehindTheFirst = 14;
  constexpr double kMost = 1e15;
  // Zeros that a format carries are the writer's own: these are digits that a person sees.
  if (text.starts_with('0') && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return std::string(text);
  }
  const auto real = parse_real(text);
  if (!real) return std::string(text);  // places and signs of a format: 001-2345
  if (std::fabs(*real) >= kMost) return std::nullopt;
  char digits[32];
  const auto rounded = std::to_chars(digits, digits + sizeof digits, *real,
                                     std::chars_format::scientific, kDigitsBehindTheFirst);
  const auto near = parse_real({digits, static_cast<std::size_t>(rounded.ptr - digits)});
  char shown[400];
  const auto end =
      std::to_chars(shown, shown + sizeof shown, near.value_or(*real), std::chars_format::fixed);
  return std::string(shown, end.ptr);
}

std::string excerpt(std::string_view raw, std::size_t limit) {
  std::string text;
  const bool cut = raw.size() > limit;
  raw = raw.substr(0, limit);
  while (!raw.empty()) {
    const std::size_t valid = formats::valid_utf8_prefix(raw);
    text.append(raw.substr(0, valid));
    raw.remove_prefix(valid);
    if (raw.empty() || (cut && raw.size() < 4)) break;
    text += '?';
    raw.remove_prefix(1);
  }
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    for (std::size_t k = i + 3; end - i >= 11 && k + 2 < end; ++k) text[k] = '*';
    i = end + 1;
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text;
}

std::string excerpt_of(runtime::Type type, std::string_view text) {
  constexpr std::size_t kDigits = 19, kMost = 40;  // of the largest int64; of what is shown whole
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool number = type == Type::kInt64 && digits.size() >= kDigits && digits.size() <= kMost &&
                      std::all_of(digits.begin(), digits.end(), is_digit);
  std::string masked;
  // Two numbers of people without a blank between them are no number.
  const bool plain = number && !parse_integer(text) &&
                     domain::mask_citizen_numbers(text, domain::Certainty::kLikely, masked) == text;
  return plain ? std::string(text) : excerpt(text);
}

}  // namespace huiliu::codecs
