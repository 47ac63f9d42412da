#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::service {

struct HttpRequest {
  std::string method, path;  ///< path without its query
  std::string query = {};    ///< what stands behind '?', as it came
  std::string authorization;
  std::string body;
  bool is_local = false;      ///< from this machine
  std::string host = {};      ///< the header's
  std::string peer = {};      ///< IP of who asks, for the log
  bool has_origin = false;    ///< a page in a browser asks
  bool is_forwarded = false;  ///< a proxy asks for somebody else
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  /// If it is set, the answer is what this gives, and the rest is not looked at. It is asked on the
  /// server's thread, about 50 times a second, until it gives something.
  std::function<std::optional<HttpResponse>()> later = {};
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
  /// Blocks until answers that come later are with those who asked, `most` at the longest.
  void settle(std::chrono::milliseconds most);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::string address_;
};

}  // namespace huiliu::service
