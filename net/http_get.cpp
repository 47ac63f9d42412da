#include "net/http_get.h"

#include <cstdint>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "runtime/base/listen_address.h"

namespace huiliu::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using runtime::Result;
using runtime::Status;

namespace {

struct Place {
  std::string host;
  std::vector<tcp::endpoint> endpoints;
};

Result<Place> place_of(const std::string& address, asio::io_context& io) {
  const auto parsed = runtime::parse_listen_address(address);
  if (parsed.is_ok()) {
    const auto& [host, port] = parsed.value();
    return Place{host, {tcp::endpoint(asio::ip::make_address(host), port)}};
  }
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size()) return parsed.status();
  Place place{address.substr(0, colon), {}};
  beast::error_code error;
  tcp::resolver resolver(io);
  for (const auto& found : resolver.resolve(place.host, address.substr(colon + 1), error)) {
    place.endpoints.push_back(found.endpoint());
  }
  if (!error) return place;
  return Status::unavailable(
      fmt::format("the name in {} leads nowhere: {}", address, error.message()));
}

/// One request and its answer. Beast's limit of time holds for asynchronous calls only, so they are
/// used, one after the other.
class Question {
 public:
  Question(const HttpPeer& peer, TlsContext tls, http::request<http::empty_body> request)
      : peer_(peer), tls_context_(std::move(tls)), request_(std::move(request)) {
    response_.body_limit(64u << 20);
  }

  Result<HttpAnswer> ask(std::chrono::seconds most) {
    auto place = place_of(peer_.address, io_);
    if (!place.is_ok()) return place.status();
    stream_.expires_after(most);
    // As it stands in a URL: an IPv6 address is in brackets there.
    const std::string& host = place->host;
    const std::uint16_t port = place->endpoints.front().port();
    const bool v6 = host.find(':') != std::string::npos;
    request_.set(http::field::host,
                 v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port));
    if (tls_context_) prepare_tls(host);
    stream_.async_connect(place->endpoints, [this](beast::error_code error, const auto&) {
      if (failed(error)) return;
      tls_ ? greet() : write(stream_);
    });
    io_.run();
    if (error_) return refusal();
    return HttpAnswer{response_.get().result_int(), std::move(response_.get().body())};
  }

 private:
  bool failed(beast::error_code error) {
    error_ = error;
    return static_cast<bool>(error);
  }

  void prepare_tls(const std::string& host) {
    tls_.emplace(stream_, *tls_context_);
    // A certificate that is known itself needs no name.
    if (!peer_.trust.pinned.empty()) return;
    tls_->set_verify_callback(asio::ssl::host_name_verification(host));
    beast::error_code no_ip;
    asio::ip::make_address(host, no_ip);
    if (no_ip) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
  }

  void greet() {
    tls_->async_handshake(asio::ssl::stream_base::client, [this](beast::error_code error) {
      is_greeted_ = !error;
      if (!failed(error)) write(*tls_);
    });
  }

  template <class Stream>
  void write(Stream& stream) {
    http::async_write(stream, request_, [this, &stream](beast::error_code error, std::size_t) {
      if (failed(error)) return;
      http::async_read(stream, buffer_, response_,
                       [this](beast::error_code read, std::size_t) { failed(read); });
    });
  }

  Status refusal() {
    const std::string& address = peer_.address;
    if (error_.category() != asio::error::get_ssl_category()) {
      return Status::unavailable(
          fmt::format("nobody answers at {}: {}", address, error_.message()));
    }
    const int reason = ERR_GET_REASON(static_cast<unsigned long>(error_.value()));
    if (is_greeted_ || reason >= SSL_AD_REASON_OFFSET) {
      return Status::invalid(
          fmt::format("{} breaks off ({}): if it lets in only clients that it knows, name a "
                      "certificate with --certificate and --key",
                      address, error_.message()));
    }
    if (reason != SSL_R_CERTIFICATE_VERIFY_FAILED) {
      return Status::invalid(
          fmt::format("{} speaks no TLS, or none that fits: {}", address, error_.message()));
    }
    if (!peer_.trust.pinned.empty()) {
      return Status::invalid(
          fmt::format("{} does not show the certificate '{}' ({}): that was renewed since the "
                      "start, or another process listens there",
                      address, peer_.trust.pinned, error_.message()));
    }
    return Status::invalid(
        fmt::format("the certificate of {} is not trusted ({}): name with --ca the file of its "
                    "authority, and the host as the certificate does",
                    address, error_.message()));
  }

  const HttpPeer& peer_;
  TlsContext tls_context_;
  http::request<http::empty_body> request_;
  asio::io_context io_;
  beast::tcp_stream stream_{io_};
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> response_;
  beast::error_code error_;
  bool is_greeted_ = false;
};

Result<HttpAnswer> ask(const HttpPeer& peer, http::request<http::empty_body> request,
                       std::chrono::seconds most) {
  TlsContext context;
  if (peer.is_tls) {
    auto made = client_context(peer.trust);
    if (!made.is_ok()) return made.status();
    context = std::move(made.value());
  }
  return Question(peer, std::move(context), std::move(request)).ask(most);
}

}  // namespace

HttpPeer::HttpPeer(std::string text, TlsTrust made_trust)
    : address(std::move(text)), trust(std::move(made_trust)) {
  is_tls = address.starts_with("https://");
  if (is_tls || address.starts_with("http://")) address.erase(0, address.find("//") + 2);
  if (address.ends_with('/')) address.pop_back();
}

Result<std::string> http_get(const HttpPeer& peer, const std::string& path) {
  auto answer = ask(peer, {http::verb::get, path, 11}, std::chrono::seconds(5));
  if (!answer.is_ok()) return answer.status();
  if (answer->status != 200) {
    return Status::failed(fmt::format("{} answers {}", peer.address, answer->status));
  }
  return std::move(answer->body);
}

Result<HttpAnswer> http_post(const HttpPeer& peer, const std::string& target,
                             const std::string& token, std::chrono::seconds most) {
  http::request<http::empty_body> request(http::verb::post, target, 11);
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  request.prepare_payload();
  return ask(peer, std::move(request), most);
}

}  // namespace huiliu::net
