#include "net/http_client.h"

#include <optional>

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

  /// As it stands in a URL: an IPv6 address is in brackets there.
  std::string header() const {
    const bool v6 = host.find(':') != std::string::npos;
    const std::uint16_t port = endpoints.front().port();
    return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  }
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

using Request = http::request<http::string_body>;
using Parser = http::response_parser<http::string_body>;

/// One connection to a peer. Beast's limit of time holds for asynchronous calls only, so they are
/// used, one after the other.
class Connection {
 public:
  explicit Connection(const HttpPeer& peer) : peer_(peer) {}

  /// `until`: a limit for all of it.
  Status open(std::chrono::steady_clock::time_point until) {
    auto place = place_of(peer_.address, io_);
    if (!place.is_ok()) return place.status();
    host_ = place->header();
    if (peer_.is_tls) {
      auto made = client_context(peer_.trust);
      if (!made.is_ok()) return made.status();
      tls_context_ = std::move(made.value());
      prepare_tls(place->host);
    }
    stream_.expires_at(until);
    stream_.async_connect(place->endpoints, [this](beast::error_code error, const auto&) {
      if (failed(error) || !tls_) return;
      tls_->async_handshake(asio::ssl::stream_base::client, [this](beast::error_code shaken) {
        is_greeted_ = !shaken;
        failed(shaken);
      });
    });
    return run();
  }

  Status ask(Request& request, Parser& parser, std::chrono::steady_clock::time_point until) {
    request.set(http::field::host, host_);
    stream_.expires_at(until);
    if (tls_) {
      write(*tls_, request, parser);
    } else {
      write(stream_, request, parser);
    }
    return run();
  }

  bool timed_out() const { return error_ == beast::error::timeout; }

 private:
  bool failed(beast::error_code error) {
    error_ = error;
    return static_cast<bool>(error);
  }

  Status run() {
    io_.restart();
    io_.run();
    stream_.expires_never();
    return error_ ? refusal() : Status::ok();
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

  template <class Stream>
  void write(Stream& stream, Request& request, Parser& parser) {
    http::async_write(stream, request, [&](beast::error_code error, std::size_t) {
      if (failed(error)) return;
      http::async_read(stream, buffer_, parser,
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
                      "certificate with {}",
                      address, error_.message(), peer_.own_name));
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
        fmt::format("the certificate of {} is not trusted ({}): name with {} the file of its "
                    "authority, and the host as the certificate does",
                    address, error_.message(), peer_.ca_name));
  }

  const HttpPeer& peer_;
  TlsContext tls_context_;
  asio::io_context io_;
  beast::tcp_stream stream_{io_};
  std::optional<asio::ssl::stream<beast::tcp_stream&>> tls_;
  beast::flat_buffer buffer_;
  std::string host_;
  beast::error_code error_;
  bool is_greeted_ = false;
};

Request request_of(const HttpQuestion& question) {
  Request request;
  request.version(11);
  request.method_string(question.method);
  request.target(question.target);
  for (const auto& [name, value] : question.headers) request.set(name, value);
  request.body() = question.body;
  request.prepare_payload();
  return request;
}

HttpAnswer answer_of(Parser& parser) {
  auto& response = parser.get();
  HttpAnswer answer{response.result_int(), std::move(response.body()), {}};
  const auto found = response.find(http::field::retry_after);
  if (found != response.end()) answer.retry_after = std::string(found->value());
  return answer;
}

}  // namespace

struct HttpClient::Impl {
  Impl(HttpPeer made_peer, std::uint64_t most) : peer(std::move(made_peer)), most_answer(most) {}

  Result<HttpAnswer> ask(const HttpQuestion& question, std::chrono::milliseconds most) {
    const auto until = std::chrono::steady_clock::now() + most;
    Request request = request_of(question);
    for (;;) {
      const bool kept = connection != nullptr;
      if (!kept) {
        connection = std::make_unique<Connection>(peer);
        if (Status status = connection->open(until); !status.is_ok()) return lost(status);
      }
      Parser parser;
      parser.body_limit(most_answer);
      Status status = connection->ask(request, parser, until);
      if (status.is_ok()) {
        // Beast's limit lets some answers through that are larger.
        if (parser.get().body().size() > most_answer) {
          return lost(Status::unavailable(
              fmt::format("{} answers with more than {} bytes", peer.address, most_answer)));
        }
        if (!parser.keep_alive()) connection.reset();
        return answer_of(parser);
      }
      // The peer may have closed it in the silence since the last question.
      const bool again = kept && !connection->timed_out() && !parser.got_some();
      if (!again) return lost(status);
      connection.reset();
    }
  }

  Status lost(Status status) {
    connection.reset();
    return status;
  }

  HttpPeer peer;
  std::uint64_t most_answer;
  std::unique_ptr<Connection> connection;
};

HttpClient::HttpClient(HttpPeer peer, std::uint64_t most_answer)
    : impl_(std::make_unique<Impl>(std::move(peer), most_answer)) {}

HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::ask(const HttpQuestion& question, std::chrono::milliseconds most) {
  return impl_->ask(question, most);
}

const HttpPeer& HttpClient::peer() const { return impl_->peer; }

HttpPeer::HttpPeer(std::string text, TlsTrust made_trust)
    : address(std::move(text)), trust(std::move(made_trust)) {
  is_tls = address.starts_with("https://");
  if (is_tls || address.starts_with("http://")) address.erase(0, address.find("//") + 2);
  if (address.ends_with('/')) address.pop_back();
}

}  // namespace huiliu::net
