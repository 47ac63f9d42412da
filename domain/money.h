#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace huiliu::domain {

enum class MoneyError : std::uint8_t {
  kOk,
  kFormat,
  kRange  // 10^12 万元 or more: does not fit the field N(18,6)
};

// Stable name for receipts, such as "FORMAT".
std::string_view name(MoneyError error);

struct ParsedMoney {
  std::int64_t micro_wan = 0;  // 万元 times 10^6, that is 1/100 元; rounded half up
  MoneyError error = MoneyError::kFormat;
  bool bare = false;  // no unit was written and 万元 was taken
};

// 0.2, 2000元, 2,000.00元, ¥1.5万元, 1亿元, 贰仟元整, 壹拾贰万叁仟肆佰元整. No sign, no 角 and 分.
ParsedMoney parse_wan(std::string_view text);

// A bare amount of more than 10 000 万元 was likely meant in 元: a warning.
constexpr bool is_unit_suspect(const ParsedMoney& money) {
  return money.error == MoneyError::kOk && money.bare && money.micro_wan > 10'000'000'000;
}

// Whether `text` gives the same number in 元 ("罚款2000元" beside 2000): then 元 was typed where
// 万元 was asked for.
bool repeats_in_yuan(std::string_view text, std::int64_t micro_wan);

// Six decimals: 0.200000. A view into `buffer`.
using MoneyBuffer = std::array<char, 24>;
std::string_view format_wan(std::int64_t micro_wan, MoneyBuffer& buffer);

}  // namespace huiliu::domain
