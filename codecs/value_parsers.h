#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/record/value.h"

namespace huiliu::codecs {

/// Decimal digits with an optional minus, within 64 bits.
std::optional<std::int64_t> parse_integer(std::string_view text);
/// A whole number in any spelling of a number, 100.0 and 1.0E7 too; beyond 2^53 only in digits.
std::optional<std::int64_t> parse_whole(std::string_view text);
/// A finite number within the range of a double.
std::optional<double> parse_real(std::string_view text);
/// Every spelling of domain::parse_timestamp(); empty as well before 1900 and after 2100, which
/// nobody means.
std::optional<std::int64_t> parse_timestamp(std::string_view text);
/// The same of a number without quotes: milliseconds since 1970, but 20240530100000 is a date.
std::optional<std::int64_t> parse_number_timestamp(std::string_view digits);
/// Whether milliseconds since 1970 are within 1900 to 2100.
bool is_plausible_moment(std::int64_t ms);
/// A cell's text as a value of `type`; empty when it is none.
std::optional<runtime::Value> parse_cell(runtime::Type type, std::string_view text);

/// Whether a workbook's number is one that a person sees with all its digits.
bool is_short_number(std::string_view text);
/// The same number in the 15 digits that a person sees, without an exponent; empty if more digits
/// stand before the point, since then some are lost.
std::optional<std::string> shown_digits(std::string_view text);

/// For rejects and logs: at most `limit` bytes of valid UTF-8; runs of 11 and more digits lose
/// their middle, so that no personal number is shown.
std::string excerpt(std::string_view raw, std::size_t limit = 200);
/// The same of a field's text. A number that 64 bits do not hold is longer than any number of a
/// person: it is shown whole, since its digits are what is wrong with it.
std::string excerpt_of(runtime::Type type, std::string_view text);

}  // namespace huiliu::codecs
