#include "service/monitor/http_server.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "runtime/base/listen_address.h"

namespace huiliu::service {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using runtime::Status;

struct HttpServer::Impl {
  class Session;

  Impl(Handler made_handler, const HttpLimits& made_limits)
      : handler(std::move(made_handler)), limits(made_limits) {}

  void accept();
  void make_room();

  /// The one that has been silent longest first. It outlives what `io` holds of sessions.
  std::list<std::weak_ptr<Session>> sessions;
  Handler handler;
  HttpLimits limits;
  std::atomic<int> waiting{0};  // sessions whose answer comes later and is not written yet
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  std::thread thread;
};

/// One connection, request after request.
class HttpServer::Impl::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Impl& server, tcp::socket socket)
      : server_(server), stream_(std::move(socket)), timer_(stream_.get_executor()) {}
  ~Session() {
    if (place_) server_.sessions.erase(*place_);
    if (waits_) --server_.waiting;
  }

  void begin() {
    place_ = server_.sessions.insert(server_.sessions.end(), weak_from_this());
    read();
  }
  void close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  // The limit of time is for the whole request: one that comes byte by byte does not renew it.
  void read() {
    parser_.emplace();
    parser_->header_limit(server_.limits.header_bytes);
    parser_->body_limit(server_.limits.body_bytes);
    stream_.expires_after(std::chrono::seconds(server_.limits.idle_seconds));
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->take(error); });
  }

  void take(beast::error_code error) {
    if (error == http::error::header_limit || error == http::error::body_limit) {
      return answer({413, "text/plain; charset=utf-8", "the request is too large\n"}, false);
    }
    if (error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return answer({400, "text/plain; charset=utf-8", "this is no HTTP request\n"}, false);
    }
    if (error) return;
    server_.sessions.splice(server_.sessions.end(), server_.sessions, *place_);
    const auto& message = parser_->get();
    HttpRequest request;
    request.method = std::string(message.method_string());
    const std::string_view target(message.target().data(), message.target().size());
    const std::size_t end = std::min(target.find('?'), target.size());
    request.path = std::string(target.substr(0, end));
    request.query = std::string(target.substr(std::min(end + 1, target.size())));
    request.host = std::string(message[http::field::host]);
    request.has_origin = message.find(http::field::origin) != message.end();
    request.is_forwarded = message.find("X-Forwarded-For") != message.end() ||
                           message.find(http::field::forwarded) != message.end();
    request.authorization = std::string(message[http::field::authorization]);
    request.body = message.body();
    beast::error_code unknown;
    const auto peer = stream_.socket().remote_endpoint(unknown);
    request.is_local = !unknown && peer.address().is_loopback();
    if (!unknown) request.peer = peer.address().to_string();
    HttpResponse response = server_.handler(request);
    if (!response.later) return answer(std::move(response), message.keep_alive());
    later_ = std::move(response.later);
    waits_ = true;
    ++server_.waiting;
    wait(message.keep_alive());
  }

  // The thread goes on answering others meanwhile.
  void wait(bool keep_alive) {
    timer_.expires_after(std::chrono::milliseconds(20));
    timer_.async_wait([self = shared_from_this(), keep_alive](beast::error_code error) {
      if (error || !self->stream_.socket().is_open()) return;
      auto response = self->later_();
      if (!response) return self->wait(keep_alive);
      self->later_ = {};
      self->answer(std::move(*response), keep_alive);
    });
  }

  void answer(HttpResponse response, bool keep_alive) {
    response_ = {};
    response_.version(11);
    response_.result(response.status);
    response_.set(http::field::content_type, response.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.body() = std::move(response.body);
    response_.keep_alive(keep_alive);
    response_.prepare_payload();
    if (parser_->get().method() == http::verb::head) response_.body().clear();
    stream_.expires_after(std::chrono::seconds(server_.limits.idle_seconds));
    http::async_write(
        stream_, response_,
        [self = shared_from_this(), keep_alive](beast::error_code error, std::size_t) {
          if (std::exchange(self->waits_, false)) --self->server_.waiting;
          if (error || !keep_alive) return self->close();
          self->read();
        });
  }

  Impl& server_;
  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  std::function<std::optional<HttpResponse>()> later_;
  bool waits_ = false;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<std::list<std::weak_ptr<Session>>::iterator> place_;
};

void HttpServer::Impl::make_room() {
  if (sessions.size() < limits.connections) return;
  if (const auto oldest = sessions.front().lock()) oldest->close();
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      make_room();
      std::make_shared<Session>(*this, std::move(socket))->begin();
    }
    accept();
  });
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
  for (const auto& session : impl_->sessions) {
    if (const auto open = session.lock()) open->close();
  }
}

void HttpServer::settle(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (impl_->waiting > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

runtime::Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& address,
                                                               Handler handler,
                                                               const HttpLimits& limits) {
  const auto parsed = runtime::parse_listen_address(address);
  if (!parsed.is_ok()) return parsed.status();
  beast::error_code error;
  const auto host = asio::ip::make_address(parsed.value().first);
  auto impl = std::make_unique<Impl>(std::move(handler), limits);
  const tcp::endpoint endpoint(host, parsed.value().second);
  impl->acceptor.open(endpoint.protocol(), error);
  if (!error) impl->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) impl->acceptor.bind(endpoint, error);
  if (!error) impl->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return Status::invalid(fmt::format("cannot listen on {}: {}", address, error.message()));
  const auto local = impl->acceptor.local_endpoint();
  impl->accept();
  impl->thread = std::thread([raw = impl.get()] { raw->io.run(); });
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(impl)));
  const std::string text = local.address().to_string();
  const std::string host_text = local.address().is_v6() ? "[" + text + "]" : text;
  server->address_ = fmt::format("{}:{}", host_text, local.port());
  return server;
}

}  // namespace huiliu::service
