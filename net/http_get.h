#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "net/tls.h"
#include "runtime/base/status.h"

namespace huiliu::net {

/// Whom to ask.
struct HttpPeer {
  /// `text` is HOST:PORT, http://HOST:PORT or https://HOST:PORT.
  HttpPeer(std::string text, TlsTrust made_trust = {});

  std::string address;  ///< HOST:PORT, an IPv6 address in brackets
  bool is_tls = false;
  TlsTrust trust;  ///< with TLS
};

/// The body of what PATH of a peer answers with 200. kUnavailable if nobody answers within five
/// seconds, kInvalid if a peer is named wrongly or is not the one that is trusted, kFailed with the
/// answer's status if it is another.
runtime::Result<std::string> http_get(const HttpPeer& peer, const std::string& path);

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// What TARGET of a peer answers to a POST, whatever its status. `token` goes along as a bearer
/// token unless it is "". kUnavailable if nobody answers within `most`; else as http_get().
runtime::Result<HttpAnswer> http_post(const HttpPeer& peer, const std::string& target,
                                      const std::string& token, std::chrono::seconds most);

}  // namespace huiliu::net
