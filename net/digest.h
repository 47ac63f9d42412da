#pragma once

#include <string>
#include <string_view>

namespace huiliu::net {

/// SHA-256 in lower-case hex.
std::string sha256_of(std::string_view text);

enum class MacHash { kSha256, kSm3 };

/// HMAC (RFC 2104) of `text` in lower-case hex; "" if OpenSSL here has no such hash, as some builds
/// have no SM3.
std::string hmac_of(MacHash hash, std::string_view key, std::string_view text);

}  // namespace huiliu::net
