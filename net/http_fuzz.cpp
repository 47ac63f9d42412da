#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include "net/http_session.h"

namespace {

using namespace huiliu::net;

const HttpLimits kLimits{
    .header_bytes = 1024, .body_bytes = 2048, .connections = 4, .idle_seconds = 1};

// What reaches the handler keeps the limits; some answers come at once, some later, some never.
void handle(HttpRequest request, const HttpReply& reply) {
  if (request.body.size() > kLimits.body_bytes) std::abort();
  if (request.path.size() + request.query.size() > kLimits.header_bytes) std::abort();
  if (request.path.find('?') != std::string::npos) std::abort();
  if (request.content_length && *request.content_length != request.body.size()) std::abort();
  if (request.method == "DELETE") return;
  if (request.method != "PUT") return reply({.body = request.path + request.body});
  HttpResponse later;
  later.later = [] { return HttpResponse{.status = 202}; };
  reply(later);
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Room for answers: a session that cannot write would wait for its limit of time.
void read_all(int socket) {
  char bytes[4096];
  while (::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

}  // namespace

// The first byte chooses where the bytes are cut in two, the second how the connection ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t cut = bytes.empty() ? 0 : data[0] * bytes.size() / 256;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  HttpSessions sessions(handle, kLimits, nullptr);
  boost::asio::ip::tcp::socket socket(sessions.io);
  socket.assign(boost::asio::ip::tcp::v4(), ends[0]);
  sessions.serve(std::move(socket));
  for (const std::string_view part : {bytes.substr(0, cut), bytes.substr(cut)}) {
    send_all(ends[1], part);
    sessions.io.poll();
    read_all(ends[1]);
  }
  if (data[1] % 2 == 0) {
    ::shutdown(ends[1], SHUT_WR);
    sessions.io.poll();
  }
  ::close(ends[1]);
  // All that is left are limits of time.
  sessions.io.poll();
  sessions.close_all();
  sessions.io.poll();
  return 0;
}
