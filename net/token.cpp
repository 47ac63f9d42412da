#include "net/token.h"

#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <sys/stat.h>

namespace huiliu::net {

using runtime::Status;

runtime::Result<std::string> read_token(const std::string& path) {
  constexpr std::size_t kLeast = 16, kMost = 4096;
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    return Status::invalid(
        fmt::format("token_file '{}' cannot be read: {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(found.st_mode)) {
    return Status::invalid(fmt::format("token_file '{}' is no regular file", path));
  }
  if ((found.st_mode & S_IRWXO) != 0) {
    return Status::invalid(
        fmt::format("token_file '{}' is open to every user of the machine (mode {:04o}): take that "
                    "away with chmod o-rwx",
                    path, found.st_mode & 07777));
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Status::invalid(
        fmt::format("token_file '{}' cannot be read: {}", path, std::strerror(errno)));
  }
  std::string token(kMost + 1, '\0');
  in.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(in.gcount()));
  const bool too_long = token.size() > kMost;
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (too_long || token.size() < kLeast) {
    return Status::invalid(
        fmt::format("token_file '{}': a token has from {} to {} bytes", path, kLeast, kMost));
  }
  return token;
}

bool has_token(std::string_view authorization, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  if (token.empty() || !authorization.starts_with(kScheme)) return false;
  const std::string_view given = authorization.substr(kScheme.size());
  // No early return: each byte that came is looked at, and the volatile keeps it so.
  volatile unsigned difference = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto a = static_cast<unsigned char>(given[i]);
    const auto b = static_cast<unsigned char>(token[i % token.size()]);
    difference = difference | static_cast<unsigned>(a ^ b);
  }
  return difference == 0;
}

}  // namespace huiliu::net
