#include "runtime/base/listen_address.h"

#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

bool is_ip(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

Result<std::pair<std::string, std::uint16_t>> parse_listen_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  bool good = colon != std::string_view::npos && colon + 1 < text.size();
  if (good) {
    const auto read = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    good = read.ec == std::errc() && read.ptr == text.data() + text.size();
  }
  std::string_view host = good ? text.substr(0, colon) : std::string_view();
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "localhost") host = "127.0.0.1";
  if (!good || !is_ip(std::string(host))) {
    return Status::invalid(fmt::format(
        "'{}' is no address to listen on: expected IP:PORT, such as 127.0.0.1:9464", text));
  }
  return std::pair(std::string(host), port);
}

}  // namespace huiliu::runtime
