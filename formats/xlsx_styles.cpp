#include "formats/xlsx_styles.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace huiliu::formats {
namespace {

constexpr std::uint32_t kNoFormat = 0;  // "General"

std::uint32_t parse_format_id(std::string_view text) {
  std::uint32_t value = kNoFormat;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? value : kNoFormat;
}

// Offset of the last byte of the literal that starts at code[at], so that a loop's ++ passes it.
std::size_t end_of_literal(std::string_view code, std::size_t at) {
  if (code[at] == '"' || code[at] == '[') {
    const std::size_t end = code.find(code[at] == '"' ? '"' : ']', at + 1);
    return end == std::string_view::npos ? code.size() : end;
  }
  const bool takes_next = code[at] == '\\' || code[at] == '_' || code[at] == '*';
  return takes_next ? at + 1 : at;
}

}  // namespace

NumberFormat::Kind builtin_format(std::uint32_t id) {
  using Kind = NumberFormat::Kind;
  if (id == 22) return Kind::kDateTime;
  if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || id == 45 || id == 47 || id == 55 ||
      id == 56) {
    return Kind::kTime;
  }
  if (id == 46) return Kind::kElapsed;
  const bool day = (id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58);
  return day ? Kind::kDate : Kind::kGeneral;
}

namespace {

// Which parts of a moment a format code shows.
class MomentParts {
 public:
  explicit MomentParts(std::string_view code) {
    for (std::size_t at = 0; at < code.size() && code[at] != ';'; ++at) {
      const std::size_t literal_end = end_of_literal(code, at);
      if (code[at] == '[') note_bracket(code.substr(at, literal_end - at));
      if (literal_end != at || code[at] == '"' || code[at] == '[') {
        at = literal_end;
      } else {
        at = note(code, at);
      }
    }
    // A lone m is a month: minutes stand behind hours or before seconds.
    if (open_m_) day_ = true;
  }

  NumberFormat::Kind kind() const {
    using Kind = NumberFormat::Kind;
    if (elapsed_) return Kind::kElapsed;
    if (day_) return time_ ? Kind::kDateTime : Kind::kDate;
    return time_ ? Kind::kTime : Kind::kGeneral;
  }

 private:
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
  static bool starts(std::string_view text, std::string_view small) {
    if (text.size() < small.size()) return false;
    for (std::size_t i = 0; i < small.size(); ++i) {
      if (lower(text[i]) != small[i]) return false;
    }
    return true;
  }

  void note_bracket(std::string_view bracket) {
    bracket.remove_prefix(1);
    const bool same = bracket.find_first_not_of(bracket.substr(0, 1)) == std::string_view::npos;
    const char unit = bracket.empty() ? ' ' : lower(bracket.front());
    if (same && (unit == 'h' || unit == 'm' || unit == 's')) elapsed_ = true;
  }

  // Returns the offset of the last byte it has dealt with.
  std::size_t note(std::string_view code, std::size_t at) {
    for (const std::string_view word : {"general", "am/pm", "a/p", "e+", "e-"}) {
      if (starts(code.substr(at), word)) return at + word.size() - 1;
    }
    const char c = lower(code[at]);
    if (c == 'm') {
      if (!behind_hours_) open_m_ = true;
    } else if (c == 'y' || c == 'd' || c == 'e') {
      day_ = true;
      behind_hours_ = false;
      if (open_m_) open_m_ = false;
    } else if (c == 'h') {
      if (open_m_) day_ = true;
      open_m_ = false;
      time_ = behind_hours_ = true;
    } else if (c == 's') {
      open_m_ = false;
      time_ = true;
    }
    return at;
  }

  bool day_ = false;
  bool time_ = false;
  bool elapsed_ = false;
  bool behind_hours_ = false;
  bool open_m_ = false;  // an m of which it is not known yet what it is
};

// The text that a code of zeros and literals shows; empty when the code is anything else. One zero
// alone carries none in front.
std::string zeros_pattern(std::string_view code) {
  std::string pattern;
  int places = 0;
  for (std::size_t at = 0; at < code.size() && code[at] != ';'; ++at) {
    const char c = code[at];
    const std::size_t end = std::min(end_of_literal(code, at), code.size() - 1);
    if (c == '0') {
      pattern.push_back('\0');
      ++places;
    } else if (c == '"') {
      pattern.append(code.substr(at + 1, end - at - 1));
      at = end;
    } else if (c == '\\') {
      pattern.append(code.substr(at + 1, end - at));
      at = end;
    } else if (c == '[' || c == '_') {
      at = end;
    } else if (c == '-' || c == ' ' || c == '(' || c == ')') {
      pattern.push_back(c);
    } else {
      return {};
    }
  }
  return places > 1 ? pattern : std::string();
}

struct Moment {
  std::int64_t day = 0;
  std::int64_t ms = 0;
};

// A fraction of a day is known to about a microsecond: what is a hair short of a second is that
// one.
Moment moment_of(double serial) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const double day = std::floor(serial);
  Moment moment{static_cast<std::int64_t>(day),
                std::llround((serial - day) * static_cast<double>(kDayMs))};
  if (moment.ms == kDayMs) moment = {moment.day + 1, 0};
  return moment;
}

bool append_day(std::int64_t day, DateSystem system, std::string& output) {
  using std::chrono::days;
  using std::chrono::sys_days;
  using std::chrono::year;
  constexpr std::int64_t kLastSerial = 2958465;  // 9999-12-31 in the 1900 system
  if (day > kLastSerial) return false;
  sys_days base = sys_days(year{1904} / 1 / 1);
  if (system == DateSystem::k1900) {
    // Excel's 1900 has a 29 February, number 60, that never was.
    if (day < 1 || day == 60) return false;
    base = sys_days(year{1899} / 12 / (day < 60 ? 31 : 30));
  }
  const std::chrono::year_month_day date(base + days(day));
  if (date.year() > year{9999}) return false;
  std::array<char, 32> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  output.append(text.data(), static_cast<std::size_t>(length));
  return true;
}

void append_clock(std::int64_t hours, std::int64_t ms, const char* form, std::string& output) {
  std::array<char, 48> text{};
  const int length =
      std::snprintf(text.data(), text.size(), form, static_cast<long long>(hours),
                    static_cast<int>(ms / 60'000 % 60), static_cast<int>(ms / 1000 % 60));
  output.append(text.data(), static_cast<std::size_t>(length));
  if (ms % 1000 == 0) return;
  const int rest = std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(ms % 1000));
  output.append(text.data(), static_cast<std::size_t>(rest));
}

}  // namespace

NumberFormat parse_format_code(std::string_view code) {
  NumberFormat format{MomentParts(code).kind(), {}};
  if (format.kind != NumberFormat::Kind::kGeneral) return format;
  format.pattern = zeros_pattern(code);
  if (!format.pattern.empty()) format.kind = NumberFormat::Kind::kZeros;
  return format;
}

bool append_serial(double serial, DateSystem system, NumberFormat::Kind kind, std::string& output) {
  using Kind = NumberFormat::Kind;
  constexpr double kBeyondAnyDay = 3e6;
  if (!(serial >= 0) || serial >= kBeyondAnyDay) return false;
  const Moment moment = moment_of(serial);
  const std::int64_t hours = moment.ms / 3'600'000;
  if (kind == Kind::kElapsed) {
    append_clock(moment.day * 24 + hours, moment.ms, "%lld:%02d:%02d", output);
    return true;
  }
  if (kind != Kind::kTime && !append_day(moment.day, system, output)) return false;
  if (kind == Kind::kDateTime) output.push_back(' ');
  if (kind != Kind::kDate) append_clock(hours, moment.ms, "%02lld:%02d:%02d", output);
  return true;
}

std::string fill_zeros(std::string_view pattern, std::string_view whole) {
  const bool negative = whole.starts_with('-');
  if (negative) whole.remove_prefix(1);
  std::string shown;  // from behind
  const std::size_t first = pattern.find('\0');
  for (std::size_t at = pattern.size(); at-- > 0;) {
    if (pattern[at] != '\0') {
      shown.push_back(pattern[at]);
      continue;
    }
    shown.push_back(whole.empty() ? '0' : whole.back());
    if (!whole.empty()) whole.remove_suffix(1);
    // What has no place of its own stands in front of the first.
    if (at == first) shown.append(whole.rbegin(), whole.rend());
  }
  if (negative) shown.push_back('-');
  std::reverse(shown.begin(), shown.end());
  return shown;
}

const NumberFormat& XlsxStyles::format(std::uint32_t style) const {
  using Kind = NumberFormat::Kind;
  static const std::array<NumberFormat, 5> kBuiltin = {NumberFormat{Kind::kGeneral, {}},
                                                       {Kind::kDate, {}},
                                                       {Kind::kDateTime, {}},
                                                       {Kind::kTime, {}},
                                                       {Kind::kElapsed, {}}};
  if (style >= cell_formats_.size()) return kBuiltin[0];
  const std::uint32_t format = cell_formats_[style];
  if (format == kNoFormat) return kBuiltin[0];
  const auto own = own_.find(format);
  return own != own_.end() ? own->second
                           : kBuiltin[static_cast<std::size_t>(builtin_format(format))];
}

void XlsxStyles::on_start(std::string_view name, const XmlAttributes& attributes) {
  if (name == "cellXfs") {
    in_cell_formats_ = true;
  } else if (name == "numFmts") {
    in_number_formats_ = true;
  } else if (name == "xf" && in_cell_formats_) {
    add_style(parse_format_id(attributes.get("numFmtId")));
  } else if (name == "numFmt" && in_number_formats_) {
    add_format(parse_format_id(attributes.get("numFmtId")), attributes.get("formatCode"));
  }
}

void XlsxStyles::on_end(std::string_view name) {
  if (name == "cellXfs") in_cell_formats_ = false;
  if (name == "numFmts") in_number_formats_ = false;
}

void XlsxStyles::on_text(std::string_view) {}

}  // namespace huiliu::formats
