#include "runtime/record/value_text.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace huiliu::runtime {
namespace {

char* put_date(char* to, std::int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(days)}}};
  const int year = static_cast<int>(date.year());
  const auto month = static_cast<unsigned>(date.month());
  const auto day = static_cast<unsigned>(date.day());
  if (year < 0 || year > 9999) return std::to_chars(to, to + kScalarTextBytes, days).ptr;
  const auto digit = [&](int value) { *to++ = static_cast<char>('0' + value % 10); };
  for (int scale : {1000, 100, 10, 1}) digit(year / scale);
  *to++ = '-';
  digit(static_cast<int>(month) / 10), digit(static_cast<int>(month));
  *to++ = '-';
  digit(static_cast<int>(day) / 10), digit(static_cast<int>(day));
  return to;
}

}  // namespace

char* put_scalar_text(char* to, Type type, const Value& value) {
  switch (type) {
    case Type::kBool: {
      const std::string_view text = value.boolean() ? "true" : "false";
      return std::copy(text.begin(), text.end(), to);
    }
    case Type::kFloat64:
      return std::to_chars(to, to + kScalarTextBytes, value.real()).ptr;
    case Type::kDate:
      return put_date(to, value.integer());
    default:
      return std::to_chars(to, to + kScalarTextBytes, value.integer()).ptr;
  }
}

std::string_view value_text(Type type, const Value& value, std::string& scratch) {
  if (value.is_null()) return {};
  if (is_text(type)) return value.text();
  char text[kScalarTextBytes];
  scratch.assign(text, put_scalar_text(text, type, value));
  return scratch;
}

}  // namespace huiliu::runtime
