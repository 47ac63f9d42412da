#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"

namespace huiliu::runtime {

/// IP address and port of a text such as "127.0.0.1:9464", "[::1]:9464", or ":9464" and
/// "localhost:9464" (both 127.0.0.1); kInvalid with what is expected.
Result<std::pair<std::string, std::uint16_t>> parse_listen_address(std::string_view text);

}  // namespace huiliu::runtime
