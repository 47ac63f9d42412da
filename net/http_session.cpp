#include "net/http_session.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

namespace huiliu::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

HttpSessions::HttpSessions(HttpServer::AsyncHandler made_handler, const HttpLimits& made_limits,
                           TlsContext made_tls)
    : handler(std::move(made_handler)), limits(made_limits), tls(std::move(made_tls)) {
  box->io = &io;
}

HttpSessions::~HttpSessions() { end_answers(); }

void HttpSessions::end_answers() {
  const std::lock_guard lock(box->mutex);
  box->io = nullptr;
}

bool HttpSessions::make_room() {
  if (list.size() < limits.connections) return true;
  for (const auto& one : list) {
    const auto session = one.lock();
    // Its request is in work: a crowd of silent connections must not take its answer away.
    if (!session || session->waits()) continue;
    session->close();
    return true;
  }
  return false;
}

void HttpSessions::serve(tcp::socket socket) {
  if (make_room()) std::make_shared<HttpSession>(*this, std::move(socket))->begin();
}

void HttpSessions::close_all() {
  for (const auto& session : list) {
    if (const auto open = session.lock()) open->close();
  }
}

HttpSession::HttpSession(HttpSessions& server, tcp::socket socket)
    : server_(server), stream_(std::move(socket)), timer_(stream_.get_executor()) {
  if (server_.tls) tls_.emplace(stream_, *server_.tls);
}

HttpSession::~HttpSession() {
  if (place_) server_.list.erase(*place_);
  if (waits_) --server_.waiting;
  let_go();
}

template <class F>
void HttpSession::with_stream(F&& call) {
  if (tls_) return call(*tls_);
  call(stream_);
}

void HttpSession::begin() {
  place_ = server_.list.insert(server_.list.end(), weak_from_this());
  if (!tls_) return read();
  stream_.expires_after(std::chrono::seconds(server_.limits.idle_seconds));
  tls_->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](Error error) {
    if (error) return self->close();
    self->read();
  });
}

void HttpSession::close() {
  Error ignored;
  timer_.cancel();
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  stream_.close();
}

// The limit of time is for the whole request: one that comes byte by byte does not renew it.
void HttpSession::read() {
  let_go();
  parser_.emplace();
  parser_->header_limit(server_.limits.header_bytes);
  parser_->body_limit(server_.limits.body_bytes);
  stream_.expires_after(std::chrono::seconds(server_.limits.idle_seconds));
  with_stream([this](auto& stream) {
    http::async_read_header(
        stream, buffer_, *parser_,
        [self = shared_from_this()](Error error, std::size_t) { self->take_header(error); });
  });
}

// A header that announces too large a body has failed by now, before anybody sends the body.
void HttpSession::take_header(Error error) {
  if (error) return fail(error);
  if (auto refused = refusal()) {
    keep_alive_ = false;
    return answer(std::move(*refused));
  }
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto& message = parser_->get();
  const bool asks = beast::iequals(message[http::field::expect], "100-continue");
  if (!asks || message.version() < 11 || parser_->is_done()) return read_body();
  with_stream([this](auto& stream) {
    asio::async_write(stream, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = shared_from_this()](Error written, std::size_t) {
                        if (written) return self->close();
                        self->read_body();
                      });
  });
}

// Memory is promised before it is taken; of a body in chunks nobody knows how large it will be.
std::optional<HttpResponse> HttpSession::refusal() {
  if (server_.limits.admit) {
    if (auto answer = server_.limits.admit(request())) return answer;
  }
  const auto announced = parser_->content_length();
  const bool chunked = parser_->chunked();
  const std::uint64_t bytes = announced ? *announced : chunked ? server_.limits.body_bytes : 0;
  if (server_.body_bytes + bytes > server_.limits.all_body_bytes) {
    return HttpResponse{.status = 503, .body = "too much at once; try again\n", .retry_after = 1};
  }
  body_bytes_ = bytes;
  server_.body_bytes += bytes;
  return std::nullopt;
}

void HttpSession::let_go() { server_.body_bytes -= std::exchange(body_bytes_, 0); }

void HttpSession::read_body() {
  with_stream([this](auto& stream) {
    http::async_read(stream, buffer_, *parser_,
                     [self = shared_from_this()](Error error, std::size_t) { self->take(error); });
  });
}

void HttpSession::fail(Error error) {
  keep_alive_ = false;
  if (error == http::error::header_limit || error == http::error::body_limit) {
    return answer({.status = 413, .body = "the request is too large\n"});
  }
  if (error.category() == make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return answer({.status = 400, .body = "this is no HTTP request\n"});
  }
  close();
}

HttpRequest HttpSession::request() {
  auto& message = parser_->get();
  const auto header = [&message](auto name) { return std::string(message[name]); };
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t end = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, end));
  request.query = std::string(target.substr(std::min(end + 1, target.size())));
  request.host = header(http::field::host);
  request.has_origin = message.find(http::field::origin) != message.end();
  request.is_forwarded = message.find("X-Forwarded-For") != message.end() ||
                         message.find(http::field::forwarded) != message.end();
  request.authorization = header(http::field::authorization);
  request.content_type = header(http::field::content_type);
  request.idempotency_key = header("Idempotency-Key");
  request.accept_language = header("Accept-Language");
  if (const auto length = parser_->content_length()) request.content_length = *length;
  request.body = std::move(message.body());
  Error unknown;
  const auto peer = stream_.socket().remote_endpoint(unknown);
  request.is_local = !unknown && peer.address().is_loopback();
  if (!unknown) request.peer = peer.address().to_string();
  return request;
}

void HttpSession::take(Error error) {
  if (error) return fail(error);
  server_.list.splice(server_.list.end(), server_.list, *place_);
  keep_alive_ = parser_->get().keep_alive();
  waits_ = true;
  ++server_.waiting;
  watch();
  try {
    server_.handler(request(), reply());
  } catch (const std::exception& thrown) {
    // The reply was thrown away with the call, which answers 500.
    spdlog::error("a request failed: {}", thrown.what());
  }
}

// It holds the session while nothing else does, and ends it if the other side breaks off.
void HttpSession::watch() {
  if (std::exchange(is_watched_, true)) return;
  stream_.socket().async_wait(tcp::socket::wait_error,
                              [self = shared_from_this()](Error) { self->close(); });
}

HttpReply HttpSession::reply() {
  return HttpReply([box = server_.box, session = weak_from_this()](HttpResponse response) {
    const std::lock_guard lock(box->mutex);
    if (!box->io) return;
    // Only the server's thread may become the last to hold a session.
    asio::post(*box->io, [session, response = std::move(response)]() mutable {
      if (const auto open = session.lock()) open->given(std::move(response));
    });
  });
}

void HttpSession::given(HttpResponse response) {
  if (!stream_.socket().is_open()) return;
  if (!response.later) return answer(std::move(response));
  later_ = std::move(response.later);
  wait();
}

// The thread goes on answering others meanwhile.
void HttpSession::wait() {
  timer_.expires_after(std::chrono::milliseconds(20));
  timer_.async_wait([self = shared_from_this()](Error error) {
    if (error || !self->stream_.socket().is_open()) return;
    auto response = self->later_();
    if (!response) return self->wait();
    self->later_ = {};
    self->answer(std::move(*response));
  });
}

void HttpSession::answer(HttpResponse response) {
  response_ = {};
  response_.version(11);
  response_.result(response.status);
  response_.set(http::field::content_type, response.content_type);
  response_.set(http::field::cache_control, "no-store");
  if (response.retry_after > 0) {
    response_.set(http::field::retry_after, std::to_string(response.retry_after));
  }
  response_.body() = std::move(response.body);
  response_.keep_alive(keep_alive_);
  response_.prepare_payload();
  if (parser_->get().method() == http::verb::head) response_.body().clear();
  stream_.expires_after(std::chrono::seconds(server_.limits.idle_seconds));
  with_stream([this](auto& stream) {
    http::async_write(stream, response_, [self = shared_from_this()](Error error, std::size_t) {
      if (std::exchange(self->waits_, false)) --self->server_.waiting;
      if (error) return self->close();
      self->keep_alive_ ? self->read() : self->finish();
    });
  });
}

// A socket that is closed while bytes lie in it unread takes the answer back from who has not read
// it yet.
void HttpSession::finish() {
  stream_.expires_after(std::chrono::seconds(1));
  if (tls_) {
    return tls_->async_shutdown([self = shared_from_this()](Error) { self->close(); });
  }
  Error ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  buffer_.clear();
  throw_away();
}

void HttpSession::throw_away() {
  constexpr std::size_t kPiece = 4096, kMost = 1u << 20;
  stream_.async_read_some(buffer_.prepare(kPiece),
                          [self = shared_from_this()](Error error, std::size_t count) {
                            self->thrown_away_ += count;
                            if (error || self->thrown_away_ > kMost) return self->close();
                            self->throw_away();
                          });
}

}  // namespace huiliu::net
