#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/value.h"

namespace huiliu::connectors {

/// Decimal digits with an optional minus, within 64 bits.
std::optional<std::int64_t> parse_integer(std::string_view text);
/// Milliseconds (11 digits and more), or yyyy-mm-dd or yyyy/mm/dd with an optional time
/// hh:mm[:ss[.fff]] and zone (Z, ±hh:mm; without one +08:00).
std::optional<std::int64_t> parse_timestamp(std::string_view text);
/// A cell's text as a value of `type`; empty when it is none.
std::optional<runtime::Value> parse_cell(runtime::Type type, std::string_view text);

/// For rejects and logs: at most `limit` bytes of valid UTF-8; runs of 11 and more digits lose
/// their middle, so that no personal number is shown.
std::string excerpt(std::string_view raw, std::size_t limit = 200);

}  // namespace huiliu::connectors
