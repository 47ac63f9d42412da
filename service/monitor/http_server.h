#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::service {

struct HttpRequest {
  std::string method, path;  ///< path without its query
  std::string authorization;
  std::string body;
  bool is_local = false;  ///< from this machine
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
};

struct HttpLimits {
  std::uint32_t header_bytes = 8192;
  std::uint64_t body_bytes = 64u << 10;
  std::size_t connections = 128;  ///< beyond, the one that has been silent longest is closed
  int idle_seconds = 10;          ///< a request must be there, and an answer taken, by then
};

/// Answers requests on a thread of its own, so that nobody who asks can hold up a topology. The
/// handler runs on that thread.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  /// `address` is HOST:PORT; port 0 takes a free one. Fails with what is wrong with the address.
  static runtime::Result<std::unique_ptr<HttpServer>> start(const std::string& address,
                                                            Handler handler,
                                                            const HttpLimits& limits = {});
  ~HttpServer();
  /// HOST:PORT that it listens on.
  const std::string& address() const { return address_; }

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace huiliu::service
