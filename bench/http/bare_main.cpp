// The yardstick of bench/http/compare: a Beast server that writes bodies into a file and answers
// when they are on disk. It writes together what is there, and does nothing else: it looks at no
// row. usage: http_bare PORT FILE
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

class Session;
std::vector<std::shared_ptr<Session>> waiting;

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : stream_(std::move(socket)) {}

  void read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) waiting.push_back(self);
                     });
  }
  const std::string& body() const { return request_.body(); }
  void answer() {
    response_ = {http::status::accepted, 11};
    response_.body() = "{}\n";
    response_.keep_alive(true);
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error) self->read();
                      });
  }

 private:
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&](beast::error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket))->read();
    if (acceptor.is_open()) accept(acceptor);
  });
}

void sync(int fd) {
  std::string bytes;
  for (const auto& session : waiting) bytes += session->body();
  if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) std::abort();
  for (const auto& session : std::exchange(waiting, {})) session->answer();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int fd = ::open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return 2;
  asio::io_context io{1};
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), port});
  accept(acceptor);
  asio::signal_set signals(io, SIGTERM);
  bool ended = false;
  signals.async_wait([&](beast::error_code, int) { ended = true; });
  while (!ended) {
    io.run_one();
    io.poll();
    if (!waiting.empty()) sync(fd);
  }
  return 0;
}
