#include "net/digest.h"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace huiliu::net {
namespace {

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string hex_of(const Digest& digest, unsigned size) {
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

const EVP_MD* function_of(MacHash hash) {
  if (hash == MacHash::kSha256) return EVP_sha256();
#ifdef OPENSSL_NO_SM3
  return nullptr;
#else
  return EVP_sm3();
#endif
}

}  // namespace

std::string sha256_of(std::string_view text) {
  Digest digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return hex_of(digest, size);
}

std::string hmac_of(MacHash hash, std::string_view key, std::string_view text) {
  const EVP_MD* const function = function_of(hash);
  Digest digest{};
  unsigned size = 0;
  if (function == nullptr || HMAC(function, key.data(), static_cast<int>(key.size()),
                                  reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                                  digest.data(), &size) == nullptr) {
    return {};
  }
  return hex_of(digest, size);
}

}  // namespace huiliu::net
