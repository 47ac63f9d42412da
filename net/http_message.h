#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace huiliu::net {

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
  std::string content_type = {};
  std::string idempotency_key = {};  ///< header Idempotency-Key, as it came
  std::string accept_language = {};
  std::optional<std::uint64_t> content_length = {};  ///< nothing if the body came in chunks
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  /// If it is set, the answer is what this gives, and the rest is not looked at. It is asked on the
  /// server's thread, about 50 times a second, until it gives something.
  std::function<std::optional<HttpResponse>()> later = {};
  int retry_after = 0;  ///< seconds, said in the header Retry-After; 0: it is left out
};

/// Takes the answer to one request, once: later calls are ignored, also those of copies. Any thread
/// may call it, also after the server has gone. If the last copy goes unused, the answer is 500.
class HttpReply {
 public:
  using Take = std::function<void(HttpResponse)>;

  /// `take` is called once, on the thread that answers.
  explicit HttpReply(Take take);
  void operator()(HttpResponse response) const;

 private:
  struct Ticket;
  std::shared_ptr<Ticket> ticket_;
};

}  // namespace huiliu::net
