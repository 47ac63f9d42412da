#include "service/monitor/http_get.h"

#include <chrono>
#include <optional>

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

// Beast's limit of time holds for asynchronous calls only, so they are used, one after the other.
runtime::Result<std::string> http_get(const std::string& address, const std::string& path) {
  const auto parsed = runtime::parse_listen_address(address);
  if (!parsed.is_ok()) return parsed.status();
  const auto& [host, port] = parsed.value();
  beast::error_code error;
  const auto ip = asio::ip::make_address(host);

  asio::io_context io;
  beast::tcp_stream stream(io);
  stream.expires_after(std::chrono::seconds(5));
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, host);
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
  if (response.get().result_int() != 200) {
    return Status::failed(fmt::format("{} answers {}", address, response.get().result_int()));
  }
  return std::move(response.get().body());
}

}  // namespace huiliu::service
