#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "net/http_server.h"
#include "net/tls.h"

// Inside of net/ only: it has Boost in it.

namespace huiliu::net {

class HttpSession;

/// What the sessions of one server share. But for `waiting` and `box` it belongs to the thread that
/// runs `io`.
struct HttpSessions {
  /// Answers come from any thread, and after the server has gone.
  struct Box {
    std::mutex mutex;
    boost::asio::io_context* io = nullptr;  ///< null once nobody is there to write answers
  };

  HttpSessions(HttpServer::AsyncHandler made_handler, const HttpLimits& made_limits,
               TlsContext made_tls);
  ~HttpSessions();
  HttpSessions(const HttpSessions&) = delete;
  HttpSessions& operator=(const HttpSessions&) = delete;

  void serve(boost::asio::ip::tcp::socket socket);
  /// Closes the one that has been silent longest, if there are too many; false if all wait for
  /// their answers.
  bool make_room();
  void close_all();
  /// Answers that come from now on go nowhere.
  void end_answers();

  /// The one that has been silent longest first. It outlives what `io` holds of sessions.
  std::list<std::weak_ptr<HttpSession>> list;
  HttpServer::AsyncHandler handler;
  HttpLimits limits;
  TlsContext tls;
  std::uint64_t body_bytes = 0;  ///< of requests whose body is read, or was and is not answered
  std::atomic<int> waiting{0};   ///< sessions whose answer is not written yet
  std::shared_ptr<Box> box = std::make_shared<Box>();
  boost::asio::io_context io{1};
};

/// One connection, request after request.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(HttpSessions& server, boost::asio::ip::tcp::socket socket);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void begin();
  void close();
  bool waits() const { return waits_; }

 private:
  using Error = boost::beast::error_code;
  template <class F>
  void with_stream(F&& call);
  void read();
  void take_header(Error error);
  std::optional<HttpResponse> refusal();
  void let_go();
  void read_body();
  void take(Error error);
  void fail(Error error);
  HttpRequest request();
  HttpReply reply();
  void watch();
  void given(HttpResponse response);
  void wait();
  void answer(HttpResponse response);
  void finish();
  void throw_away();

  HttpSessions& server_;
  boost::beast::tcp_stream stream_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream&>> tls_;
  boost::asio::steady_timer timer_;
  std::function<std::optional<HttpResponse>()> later_;
  std::uint64_t body_bytes_ = 0;  // of the server's sum
  bool waits_ = false;
  bool is_watched_ = false;
  bool keep_alive_ = false;
  std::size_t thrown_away_ = 0;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
  std::optional<std::list<std::weak_ptr<HttpSession>>::iterator> place_;
};

}  // namespace huiliu::net
