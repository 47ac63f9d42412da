#include "service/monitor/control_gate.h"

#include <string_view>

#include "net/token.h"
#include "runtime/base/listen_address.h"

namespace huiliu::service {
namespace {

/// `host` is that of a header: HOST or HOST:PORT. An IP and localhost belong to nobody who could
/// let them point elsewhere; any other name may be an attacker's.
bool is_own_host(std::string_view host) {
  // parse_listen_address() wants a port and takes no host for this machine.
  const bool has_port = host.rfind(':') != std::string_view::npos && !host.ends_with(']');
  const std::string text = has_port ? std::string(host) : std::string(host) + ":80";
  return !text.starts_with(':') && runtime::parse_listen_address(text).is_ok();
}

}  // namespace

std::optional<net::HttpResponse> refused(const net::HttpRequest& request,
                                         const ControlAccess& access) {
  if (request.method != "POST")
    return net::HttpResponse{.status = 405, .body = "commands are given by POST\n"};
  if (request.has_origin) {
    return net::HttpResponse{.status = 403, .body = "pages in a browser may not give commands\n"};
  }
  if (net::has_token(request.authorization, access.token)) return std::nullopt;
  const bool is_local = request.is_local && !request.is_forwarded;
  if (!is_local && access.token.empty()) {
    return net::HttpResponse{.status = 403,
                             .body =
                                 "commands from other machines are taken only where the topology "
                                 "says `server: {token_file: PATH}`\n"};
  }
  if (!is_local || !request.authorization.empty()) {
    return net::HttpResponse{.status = 401, .body = "the token is missing or wrong\n"};
  }
  const bool is_listen_host = !access.listen.empty() && request.host == access.listen;
  if (is_own_host(request.host) || is_listen_host) return std::nullopt;
  return net::HttpResponse{.status = 403, .body = "the header Host must be an IP or localhost\n"};
}

}  // namespace huiliu::service
