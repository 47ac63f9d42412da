#include "net/http_server.h"

#include <thread>
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <pthread.h>

#include "net/http_session.h"
#include "runtime/base/listen_address.h"

namespace huiliu::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using runtime::Status;

struct HttpServer::Impl {
  Impl(AsyncHandler handler, const HttpLimits& limits, TlsContext tls)
      : sessions(std::move(handler), limits, std::move(tls)) {}

  Status listen(const std::string& address, const tcp::endpoint& endpoint);
  void accept();

  HttpSessions sessions;
  tcp::acceptor acceptor{sessions.io};
  asio::steady_timer pause{sessions.io};
  std::thread thread;
};

Status HttpServer::Impl::listen(const std::string& address, const tcp::endpoint& endpoint) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return Status::ok();
  return Status::invalid(fmt::format("cannot listen on {}: {}", address, error.message()));
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      sessions.serve(std::move(socket));
      return accept();
    }
    // Without descriptors the next try fails at once too, and the thread would do nothing else.
    pause.expires_after(std::chrono::milliseconds(50));
    pause.async_wait([this](error_code stopped) {
      if (!stopped) accept();
    });
  });
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  impl_->sessions.end_answers();
  impl_->sessions.io.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->sessions.close_all();
}

void HttpServer::settle(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (impl_->sessions.waiting > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

runtime::Result<std::unique_ptr<HttpServer>> HttpServer::start(
    const std::string& address, AsyncHandler handler, const HttpLimits& limits,
    const std::optional<TlsOptions>& tls) {
  const auto parsed = runtime::parse_listen_address(address);
  if (!parsed.is_ok()) return parsed.status();
  TlsContext context;
  if (tls) {
    auto made = server_context(*tls);
    if (!made.is_ok()) return made.status();
    context = std::move(made.value());
  }
  auto impl = std::make_unique<Impl>(std::move(handler), limits, std::move(context));
  const tcp::endpoint endpoint(asio::ip::make_address(parsed.value().first), parsed.value().second);
  if (Status status = impl->listen(address, endpoint); !status.is_ok()) return status;
  const auto local = impl->acceptor.local_endpoint();
  impl->accept();
  impl->thread = std::thread([raw = impl.get()] {
    // Who looks at the process's threads sees what the server costs.
    ::pthread_setname_np(::pthread_self(), "http");
    raw->sessions.io.run();
  });
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(impl)));
  const std::string text = local.address().to_string();
  const std::string host_text = local.address().is_v6() ? "[" + text + "]" : text;
  server->address_ = fmt::format("{}:{}", host_text, local.port());
  return server;
}

runtime::Result<std::unique_ptr<HttpServer>> HttpServer::start(
    const std::string& address, Handler handler, const HttpLimits& limits,
    const std::optional<TlsOptions>& tls) {
  return start(address,
               AsyncHandler([handler = std::move(handler)](const HttpRequest& request,
                                                           const HttpReply& reply) {
                 reply(handler(request));
               }),
               limits, tls);
}

}  // namespace huiliu::net
