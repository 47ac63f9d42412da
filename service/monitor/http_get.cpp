#include "service/monitor/http_get.h"

#include <cstdint>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "runtime/base/listen_address.h"

namespace huiliu::service {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using runtime::Status;

namespace {

/// As it stands in a URL: an IPv6 address is in brackets there.
std::string host_header(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// Beast's limit of time holds for asynchronous calls only, so they are used, one after the other.
runtime::Result<HttpAnswer> ask(const std::string& address, http::request<http::empty_body> request,
                                std::chrono::seconds most) {
  const auto parsed = runtime::parse_listen_address(address);
  if (!parsed.is_ok()) return parsed.status();
  const auto& [host, port] = parsed.value();
  beast::error_code error;
  const auto ip = asio::ip::make_address(host);

  asio::io_context io;
  beast::tcp_stream stream(io);
  stream.expires_after(most);
  request.set(http::field::host, host_header(host, port));
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> response;
  response.body_limit(64u << 20);
  stream.async_connect(asio::ip::tcp::endpoint(ip, port), [&](beast::error_code connected) {
    error = connected;
    if (error) return;
    http::async_write(stream, request, [&](beast::error_code written, std::size_t) {
      error = written;
      if (error) return;
      http::async_read(stream, buffer, response,
                       [&](beast::error_code read, std::size_t) { error = read; });
    });
  });
  io.run();
  if (error) {
    return Status::unavailable(fmt::format("nobody answers at {}: {}", address, error.message()));
  }
  return HttpAnswer{response.get().result_int(), std::move(response.get().body())};
}

}  // namespace

runtime::Result<std::string> http_get(const std::string& address, const std::string& path) {
  auto answer = ask(address, {http::verb::get, path, 11}, std::chrono::seconds(5));
  if (!answer.is_ok()) return answer.status();
  if (answer->status != 200) {
    return Status::failed(fmt::format("{} answers {}", address, answer->status));
  }
  return std::move(answer->body);
}

runtime::Result<HttpAnswer> http_post(const std::string& address, const std::string& target,
                                      const std::string& token, std::chrono::seconds most) {
  http::request<http::empty_body> request(http::verb::post, target, 11);
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  request.prepare_payload();
  return ask(address, std::move(request), most);
}

}  // namespace huiliu::service
