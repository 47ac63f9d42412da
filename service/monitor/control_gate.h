#pragma once

#include <optional>
#include <string>

#include "net/http_server.h"

namespace huiliu::service {

/// Who may give commands to a run.
struct ControlAccess {
  std::string token = {};   ///< that who asks from elsewhere must have; "": nobody may from there
  std::string listen = {};  ///< IP:PORT that the server listens on
};

/// The answer to a command that must not be obeyed, or nothing.
///
/// Only POST changes anything: 405 otherwise. A page in a browser may not ask at all, and a request
/// without the token not under a name that others can let point to this machine (DNS rebinding):
/// 403. Who asks from this machine, and not through a proxy, needs no token; everybody else gets
/// 403 where there is none, and 401 without the right one. A token that comes along must be right.
std::optional<net::HttpResponse> refused(const net::HttpRequest& request,
                                         const ControlAccess& access);

}  // namespace huiliu::service
