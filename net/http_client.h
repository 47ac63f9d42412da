#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
  /// How messages name what says whom to trust, and who this client is.
  std::string ca_name = "--ca", own_name = "--certificate and --key";
};

/// What is asked of a peer, beside Host and Content-Length.
struct HttpQuestion {
  std::string method = "GET";
  std::string target;  ///< path and query
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
  std::string retry_after = {};  ///< the header as it came; "": there is none
};

/// Asks one peer, over a connection that it keeps as long as the peer does. One thread.
class HttpClient {
 public:
  /// An answer with a body of more than `most_answer` bytes is none.
  explicit HttpClient(HttpPeer peer, std::uint64_t most_answer = 64u << 20);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// What the peer answers, whatever its status. A question that finds a kept connection closed is
  /// asked once more on a new one, so it must be one that may come twice. kUnavailable if there is
  /// no answer within `most` (how long a name takes to be resolved is the system's), kInvalid if
  /// the peer is named wrongly or is not the one that is trusted. Files of the trust are read again
  /// for each connection.
  runtime::Result<HttpAnswer> ask(const HttpQuestion& question, std::chrono::milliseconds most);
  const HttpPeer& peer() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace huiliu::net
