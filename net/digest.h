#pragma once

#include <string>
#include <string_view>

namespace huiliu::net {

/// SHA-256 in lower-case hex.
std::string sha256_of(std::string_view text);

}  // namespace huiliu::net
