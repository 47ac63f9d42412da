#include "net/http_server.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "net/http_get.h"
#include "net/raw_connection_testing.h"

namespace huiliu::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::unique_ptr<HttpServer> serve(const HttpLimits& limits = {}) {
  auto server = HttpServer::start(
      "127.0.0.1:0",
      [](const HttpRequest& request) {
        return HttpResponse{.body = request.method + " " + request.path + " " + request.body};
      },
      limits);
  EXPECT_TRUE(server.is_ok());
  return std::move(server.value());
}

TEST(HttpServerTest, AnswersRequests) {
  const auto server = serve();
  EXPECT_EQ(http_get(server->address(), "/a?b=c").value(), "GET /a ");
  Raw raw(server->address());
  raw.send(
      "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /y HTTP/1.1\r\n"
      "Host: h\r\nConnection: close\r\n\r\n");
  const std::string answers = raw.rest();
  EXPECT_THAT(answers, HasSubstr("POST /x abc"));
  EXPECT_THAT(answers, HasSubstr("GET /y "));
}

TEST(HttpServerTest, RefusesWhatIsTooLargeOrNoRequest) {
  const auto server = serve({.header_bytes = 1000, .body_bytes = 100});
  Raw large(server->address());
  large.send("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");
  EXPECT_THAT(large.rest(), StartsWith("HTTP/1.1 413"));
  Raw body(server->address());
  body.send("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n");
  EXPECT_THAT(body.rest(), StartsWith("HTTP/1.1 413"));
  Raw noise(server->address());
  noise.send("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_THAT(noise.rest(), StartsWith("HTTP/1.1 400"));
  EXPECT_TRUE(http_get(server->address(), "/").is_ok());
}

TEST(HttpServerTest, WhoMayNotAskIsToldBeforeTheBodyIsRead) {
  HttpLimits limits;
  limits.admit = [](const HttpRequest& head) -> std::optional<HttpResponse> {
    if (head.authorization == "Bearer t") return std::nullopt;
    return HttpResponse{.status = 401, .body = "who are you\n"};
  };
  const auto server = serve(limits);
  Raw nobody(server->address());
  nobody.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_THAT(nobody.rest(), StartsWith("HTTP/1.1 401"));
  Raw known(server->address());
  known.send(
      "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\nContent-Length: 2\r\n"
      "Connection: close\r\n\r\nok");
  EXPECT_THAT(known.rest(), HasSubstr("POST / ok"));
}

TEST(HttpServerTest, BodiesTogetherTakeNoMoreMemoryThanTheyMay) {
  HttpLimits limits;
  limits.body_bytes = 100;
  limits.all_body_bytes = 150;
  const auto server = serve(limits);
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n";
  {
    Raw begun(server->address());
    begun.send(post + "\r\nhalf");
    EXPECT_TRUE(http_get(server->address(), "/").is_ok()) << "what has no body";
    Raw second(server->address());
    second.send(post + "\r\n");
    const std::string answer = second.rest();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(answer, HasSubstr("Retry-After: 1"));
    begun.send(std::string(96, 'x'));
    EXPECT_THAT(begun.until("xxxx"), StartsWith("HTTP/1.1 200"));
  }
  Raw next(server->address());
  next.send(post + "Connection: close\r\n\r\n" + std::string(100, 'y'));
  EXPECT_THAT(next.rest(), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServerTest, ARequestThatComesSlowlyIsCutOff) {
  const auto server = serve({.idle_seconds = 1});
  Raw slow(server->address());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 30; ++i) {
    slow.send("G");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  slow.rest();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST(HttpServerTest, SilentConnectionsMakeRoomForOthers) {
  const auto server = serve({.connections = 20});
  std::vector<std::unique_ptr<Raw>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<Raw>(server->address()));
    EXPECT_TRUE(silent.back()->connected());
  }
  EXPECT_TRUE(http_get(server->address(), "/").is_ok());
}

TEST(HttpServerTest, AnAnswerThatComesLaterHoldsUpNobody) {
  std::atomic<bool> ready{false};
  const auto handler = [&ready](const HttpRequest& request) {
    if (request.path != "/later") return HttpResponse{.body = "now"};
    HttpResponse response;
    response.later = [&ready]() -> std::optional<HttpResponse> {
      if (!ready) return std::nullopt;
      return HttpResponse{.status = 202, .body = "then"};
    };
    return response;
  };
  auto started = HttpServer::start("127.0.0.1:0", handler);
  const std::unique_ptr<HttpServer> server = std::move(started.value());
  std::thread asks([&] {
    const auto answer =
        http_post(server->address(), "/later?x=1", "", std::chrono::seconds(10)).value();
    EXPECT_EQ(answer.status, 202u);
    EXPECT_EQ(answer.body, "then");
  });
  EXPECT_EQ(http_get(server->address(), "/").value(), "now");
  ready = true;
  asks.join();
  server->settle(std::chrono::seconds(10));
}

TEST(HttpServerTest, SaysWhoAsksAndHow) {
  HttpRequest seen;
  auto started = HttpServer::start("127.0.0.1:0", [&seen](const HttpRequest& request) {
    seen = request;
    return HttpResponse{};
  });
  const std::unique_ptr<HttpServer> server = std::move(started.value());
  Raw raw(server->address());
  raw.send(
      "POST /a?b=c HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://evil.example\r\n"
      "X-Forwarded-For: 10.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  raw.rest();
  EXPECT_EQ(seen.query, "b=c");
  EXPECT_EQ(seen.host, "evil.example");
  EXPECT_EQ(seen.peer, "127.0.0.1");
  EXPECT_TRUE(seen.is_local && seen.has_origin && seen.is_forwarded);
  EXPECT_TRUE(http_post(server->address(), "/", "secret", std::chrono::seconds(10)).is_ok());
  EXPECT_EQ(seen.authorization, "Bearer secret");
  EXPECT_EQ(seen.host, server->address());
  EXPECT_FALSE(seen.has_origin || seen.is_forwarded);
}

TEST(HttpServerTest, SaysWhatIsWrongWithAnAddress) {
  const auto handler = [](const HttpRequest&) { return HttpResponse{}; };
  for (const char* address : {"9464", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", "host:1"}) {
    const auto server = HttpServer::start(address, handler);
    ASSERT_FALSE(server.is_ok()) << address;
    EXPECT_THAT(server.status().message(), HasSubstr("expected IP:PORT")) << address;
  }
  const auto first = serve();
  const auto second = HttpServer::start(first->address(), handler);
  ASSERT_FALSE(second.is_ok());
  EXPECT_THAT(second.status().message(), HasSubstr("cannot listen on"));
}

}  // namespace
}  // namespace huiliu::net
