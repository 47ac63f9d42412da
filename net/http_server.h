#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http_message.h"
#include "net/tls.h"
#include "runtime/base/status.h"

namespace huiliu::net {

struct HttpLimits {
  std::uint32_t header_bytes = 8192;
  /// Of one request; what announces more is refused before it is read.
  std::uint64_t body_bytes = 64u << 10;
  /// Beyond, the one that has been silent longest is closed; if all wait for their answers, the new
  /// one.
  std::size_t connections = 128;
  int idle_seconds = 10;  ///< a request must be there, and an answer taken, by then
  /// Of the bodies of all connections together; beyond, a request is answered 503 before its body
  /// is read.
  std::uint64_t all_body_bytes = 16u << 20;
  /// Asked with the head of a request, on the server's thread: an answer is given at once, and the
  /// body is not read. May be empty.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> admit = {};
};

/// Answers requests on a thread of its own, so that nobody who asks can hold up a topology. The
/// handler runs on that thread.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  /// Gives the answer now or later, on any thread; others are answered meanwhile.
  using AsyncHandler = std::function<void(HttpRequest, HttpReply)>;

  /// `address` is HOST:PORT; port 0 takes a free one. With `tls` nothing but TLS is understood.
  /// Fails with what is wrong with the address or a file of `tls`.
  static runtime::Result<std::unique_ptr<HttpServer>> start(
      const std::string& address, AsyncHandler handler, const HttpLimits& limits = {},
      const std::optional<TlsOptions>& tls = std::nullopt);
  static runtime::Result<std::unique_ptr<HttpServer>> start(
      const std::string& address, Handler handler, const HttpLimits& limits = {},
      const std::optional<TlsOptions>& tls = std::nullopt);
  /// Replies that are left are ignored from now on.
  ~HttpServer();
  /// HOST:PORT that it listens on.
  const std::string& address() const { return address_; }
  /// Blocks until answers that come later are with those who asked, `most` at the longest.
  void settle(std::chrono::milliseconds most);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace huiliu::net
