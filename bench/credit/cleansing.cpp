#include "bench/credit/cleansing.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace huiliu::bench {
namespace {

constexpr std::uint8_t kNotUscc = 0xFF;
constexpr std::array<std::uint8_t, 256> kUsccValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotUscc);
  std::uint8_t value = 0;
  for (const char c : std::string_view("0123456789ABCDEFGHJKLMNPQRTUWXY")) {
    values[static_cast<std::uint8_t>(c)] = value++;
  }
  return values;
}();
constexpr std::uint32_t kUsccWeights[] = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                          29, 25, 13, 8,  24, 10, 30, 28};
constexpr std::uint32_t kIdNoWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t utf8_size(unsigned char lead) { return lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2; }

// The half-width form of the character at `text`, 0 when it has none; `size` is its bytes.
char half_width_of(std::string_view text, std::size_t& size) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (at(0) < 0x80) {
    size = 1;
    return text[0];
  }
  size = std::min(utf8_size(at(0)), text.size());
  if (size != 3) return '\0';
  if (at(0) == 0xE3 && at(1) == 0x80 && at(2) == 0x80) return ' ';
  if (at(0) != 0xEF) return '\0';
  const unsigned wide = 0xF000u | ((at(1) & 63u) << 6) | (at(2) & 63u);
  return wide >= 0xFF01 && wide <= 0xFF5E ? static_cast<char>(wide - 0xFEE0) : '\0';
}

// Reads `count` digits at `from`; false when one is missing.
bool read_digits(std::string_view text, std::size_t from, std::size_t count, unsigned& value) {
  value = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return true;
}

bool one_or_two_digits(std::string_view text, unsigned& value) {
  return !text.empty() && text.size() <= 2 && read_digits(text, 0, text.size(), value);
}

bool split_date(std::string_view text, unsigned& year, unsigned& month, unsigned& day) {
  if (text.size() < 8 || !read_digits(text, 0, 4, year)) return false;
  if (text.size() == 8 && is_digit(text[4])) {
    return read_digits(text, 4, 2, month) && read_digits(text, 6, 2, day);
  }
  std::string_view rest = text.substr(4);
  std::string_view between = rest.substr(0, 1);
  if (rest.starts_with("年")) {
    if (!rest.ends_with("日")) return false;
    rest.remove_suffix(3);
    rest.remove_prefix(3);
    between = "月";
  } else if (rest[0] == '-' || rest[0] == '/') {
    rest.remove_prefix(1);
  } else {
    return false;
  }
  const std::size_t at = rest.find(between);
  return at != std::string_view::npos && one_or_two_digits(rest.substr(0, at), month) &&
         one_or_two_digits(rest.substr(at + between.size()), day);
}

bool is_calendar_day(unsigned year, unsigned month, unsigned day) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= kDays[month - 1] + (month == 2 && leap ? 1u : 0u);
}

void write_digits(char* out, unsigned count, unsigned value) {
  while (count > 0) {
    out[--count] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

std::string_view half_width(std::string_view text, std::string& buffer, InnerBlanks inner) {
  buffer.clear();
  bool after_blank = true;  // drops the leading blanks
  while (!text.empty()) {
    std::size_t size = 0;
    const char half = half_width_of(text, size);
    if (half == '\0') {
      buffer.append(text, 0, size);
      after_blank = false;
    } else if (!is_blank(half)) {
      buffer.push_back(half);
      after_blank = false;
    } else if (!after_blank || (inner == InnerBlanks::kKeep && !buffer.empty())) {
      buffer.push_back(inner == InnerBlanks::kCollapse ? ' ' : half);
      after_blank = true;
    }
    text.remove_prefix(size);
  }
  while (!buffer.empty() && is_blank(buffer.back())) buffer.pop_back();
  return buffer;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_uscc(std::string_view code) {
  if (code.size() != 18) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    const std::uint8_t value = kUsccValues[static_cast<std::uint8_t>(code[i])];
    if (value == kNotUscc) return false;
    sum += value * kUsccWeights[i];
  }
  return kUsccValues[static_cast<std::uint8_t>(code[17])] == (31 - sum % 31) % 31;
}

bool is_id_no(std::string_view code) {
  if (code.size() != 18) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    if (!is_digit(code[i])) return false;
    sum += static_cast<std::uint32_t>(code[i] - '0') * kIdNoWeights[i];
  }
  return code[17] == "10X98765432"[sum % 11];
}

bool parse_date(std::string_view text, char (&iso)[kIsoDateSize]) {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!split_date(text, year, month, day) || !is_calendar_day(year, month, day)) return false;
  write_digits(iso, 4, year);
  write_digits(iso + 5, 2, month);
  write_digits(iso + 8, 2, day);
  iso[4] = iso[7] = '-';
  return true;
}

}  // namespace huiliu::bench
