#include "domain/money.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "domain/folded_text.h"

namespace huiliu::domain {
namespace {

constexpr std::int64_t kLimit = 1'000'000'000'000'000'000;  // 10^12 万元 in micro_wan
constexpr std::int64_t kMicroPerYuan = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool drop_prefix(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool drop_suffix(std::string_view& text, std::string_view word) {
  if (!text.ends_with(word)) return false;
  text.remove_suffix(word.size());
  return true;
}

// value * factor + more, or the limit when that is too large. All are at most the limit.
std::int64_t multiply_add(std::int64_t value, std::int64_t factor, std::int64_t more) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(value, factor, &product) || product > kLimit - more) return kLimit;
  return product + more;
}

ParsedMoney limited(std::int64_t micro_wan, bool bare) {
  if (micro_wan >= kLimit) return {0, MoneyError::kRange, bare};
  return {micro_wan, MoneyError::kOk, bare};
}

// What the amount's marks leave, without thousands separators.
class BareAmount {
 public:
  explicit BareAmount(std::string_view text) {
    while (!text.empty()) {
      if (drop_prefix(text, ",") || drop_prefix(text, " ") || drop_prefix(text, "\u00A5") ||
          drop_prefix(text, "人民币")) {
        continue;
      }
      buffer_[size_++] = text.front();
      text.remove_prefix(1);
    }
  }
  std::string_view view() const { return {buffer_.data(), size_}; }

 private:
  std::array<char, FoldedText::kCapacity> buffer_;
  std::size_t size_ = 0;
};

// micro_wan in one unit, by the unit's word; `bare` when there is none.
std::int64_t take_unit(std::string_view& text, bool& bare) {
  drop_suffix(text, "整");
  bare = false;
  if (drop_suffix(text, "亿元")) return 10'000'000'000;
  if (drop_suffix(text, "万元") || drop_suffix(text, "万")) return 1'000'000;
  if (drop_suffix(text, "元")) return kMicroPerYuan;
  bare = true;
  return 1'000'000;
}

// Digits, or digits '.' digits.
bool split_decimal(std::string_view text, std::string_view& whole, std::string_view& fraction) {
  const std::size_t dot = text.find('.');
  whole = text.substr(0, dot);
  fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  if (whole.empty() || (dot != std::string_view::npos && fraction.empty())) return false;
  return std::all_of(whole.begin(), whole.end(), is_digit) &&
         std::all_of(fraction.begin(), fraction.end(), is_digit);
}

bool read_decimal(std::string_view text, ParsedMoney& money) {
  bool bare = false;
  const std::int64_t unit = take_unit(text, bare);
  std::string_view whole;
  std::string_view fraction;
  if (!split_decimal(text, whole, fraction)) return false;
  std::int64_t value = 0;
  for (const char c : whole) value = multiply_add(value, 10, c - '0');
  value = multiply_add(value, unit, 0);
  std::int64_t place = unit;
  for (const char c : fraction) {
    if (place == 1) {  // first digit that does not count: rounds
      if (c >= '5') value = multiply_add(value, 1, 1);
      break;
    }
    place /= 10;
    value = multiply_add(value, 1, (c - '0') * place);
  }
  money = limited(value, bare);
  return true;
}

constexpr auto kNumerals = std::to_array<std::pair<std::string_view, int>>(
    {{"零", 0},           {"壹", 1},          {"贰", 2},    {"叁", 3},      {"肆", 4},
     {"伍", 5},           {"陆", 6},          {"柒", 7},    {"捌", 8},      {"玖", 9},
     {"〇", 0},           {"一", 1},          {"二", 2},    {"三", 3},      {"四", 4},
     {"五", 5},           {"六", 6},          {"七", 7},    {"八", 8},      {"九", 9},
     {"两", 2},           {"貮", 2},          {"拾", 10},   {"十", 10},     {"佰", 100},
     {"百", 100},         {"仟", 1000},       {"千", 1000}, {"万", 10'000}, {"萬", 10'000},
     {"亿", 100'000'000}, {"億", 100'000'000}});

// The value of the numeral `text` starts with, which is dropped; -1 when it starts with none.
int take_numeral(std::string_view& text) {
  for (const auto& [word, value] : kNumerals) {
    if (drop_prefix(text, word)) return value;
  }
  return -1;
}

// Whole 元 in Chinese numerals; -1 when something else is among them.
std::int64_t read_numerals(std::string_view text) {
  std::int64_t total = 0;    // closed by 万 or 亿
  std::int64_t section = 0;  // below 万
  std::int64_t digit = 0;
  while (!text.empty()) {
    const int value = take_numeral(text);
    if (value < 0) return -1;
    if (value < 10) {
      digit = value;
    } else if (value <= 1000) {
      section = multiply_add(digit == 0 ? 1 : digit, value, section);
      digit = 0;
    } else {
      const std::int64_t open = section + digit;
      total = value == 10'000 ? multiply_add(open, value, total)
                              : multiply_add(multiply_add(open, 1, total), value, 0);
      section = digit = 0;
    }
  }
  return multiply_add(section + digit, 1, total);
}

bool read_chinese(std::string_view text, ParsedMoney& money) {
  if (!drop_suffix(text, "整")) drop_suffix(text, "正");
  if (!drop_suffix(text, "元") && !drop_suffix(text, "圆")) return false;
  if (text.empty()) return false;
  const std::int64_t yuan = read_numerals(text);
  if (yuan < 0) return false;
  money = limited(multiply_add(yuan, kMicroPerYuan, 0), false);
  return true;
}

}  // namespace

std::string_view name(MoneyError error) {
  switch (error) {
    case MoneyError::kOk:
      return "OK";
    case MoneyError::kFormat:
      return "FORMAT";
    case MoneyError::kRange:
      return "RANGE";
  }
  return "UNKNOWN";
}

ParsedMoney parse_wan(std::string_view text) {
  const FoldedText folded(text);
  ParsedMoney money;
  if (folded.too_long()) return money;
  const BareAmount amount(folded.view());
  if (!read_decimal(amount.view(), money)) read_chinese(amount.view(), money);
  return money;
}

bool repeats_in_yuan(std::string_view text, std::int64_t micro_wan) {
  constexpr std::string_view kYuan = "元";
  const auto is_amount = [](char c) { return c == '.' || c == ',' || (c >= '0' && c <= '9'); };
  for (std::size_t at = text.find(kYuan); at != std::string_view::npos;
       at = text.find(kYuan, at + kYuan.size())) {
    std::size_t from = at;
    while (from > 0 && is_amount(text[from - 1])) --from;
    if (from == at) continue;
    // "2000元" read as if it stood in the column.
    const ParsedMoney money = parse_wan(text.substr(from, at - from));
    if (money.error == MoneyError::kOk && money.micro_wan == micro_wan) return true;
  }
  return false;
}

std::string_view format_wan(std::int64_t micro_wan, MoneyBuffer& buffer) {
  // Unsigned, for the smallest number has no positive counterpart.
  auto rest = static_cast<std::uint64_t>(micro_wan);
  if (micro_wan < 0) rest = 0 - rest;
  std::size_t at = buffer.size();
  for (int digits = 0; digits < 7 || rest > 0; ++digits, rest /= 10) {
    if (digits == 6) buffer[--at] = '.';
    buffer[--at] = static_cast<char>('0' + rest % 10);
  }
  if (micro_wan < 0) buffer[--at] = '-';
  return {buffer.data() + at, buffer.size() - at};
}

}  // namespace huiliu::domain
