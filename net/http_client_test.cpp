#include "net/http_client.h"

#include <gtest/gtest.h>

#include "net/http_server.h"

namespace huiliu::net {
namespace {

using runtime::StatusCode;
using std::chrono::seconds;

std::unique_ptr<HttpServer> serve(const std::string& address, const HttpLimits& limits = {}) {
  auto server = HttpServer::start(
      address,
      [](const HttpRequest& request) {
        return HttpResponse{
            .status = 503,
            .body = request.method + request.path + request.body + request.idempotency_key,
            .retry_after = 7};
      },
      limits);
  EXPECT_TRUE(server.is_ok()) << server.status().message();
  return std::move(server.value());
}

const HttpQuestion kQuestion{
    .method = "POST", .target = "/a", .headers = {{"Idempotency-Key", "key"}}, .body = "body"};

TEST(HttpClientTest, AsksWithHeadersAndBodyAndGivesAnyAnswer) {
  const auto server = serve("127.0.0.1:0");
  HttpClient client((HttpPeer(server->address())));
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.ask(kQuestion, seconds(5));
    ASSERT_TRUE(answer.is_ok()) << answer.status().message();
    EXPECT_EQ(answer.value().status, 503u);
    EXPECT_EQ(answer.value().body, "POST/abodykey");
    EXPECT_EQ(answer.value().retry_after, "7");
  }
}

TEST(HttpClientTest, AQuestionThatFindsItsConnectionClosedIsAskedAgain) {
  auto server = serve("127.0.0.1:0");
  const std::string address = server->address();
  HttpClient client((HttpPeer(address)));
  ASSERT_TRUE(client.ask(kQuestion, seconds(5)).is_ok());
  server.reset();
  EXPECT_EQ(client.ask(kQuestion, seconds(5)).status().code(), StatusCode::kUnavailable);
  server = serve(address);
  ASSERT_TRUE(client.ask(kQuestion, seconds(5)).is_ok());
  server.reset();
  server = serve(address);
  EXPECT_TRUE(client.ask(kQuestion, seconds(5)).is_ok());
}

TEST(HttpClientTest, AnAnswerThatIsTooLargeIsNone) {
  const auto server = serve("127.0.0.1:0");
  HttpClient client(HttpPeer(server->address()), 5);
  EXPECT_EQ(client.ask(kQuestion, seconds(5)).status().code(), StatusCode::kUnavailable);
  HttpQuestion large = kQuestion;
  large.body = std::string(60'000, 'x');
  const auto answer = client.ask(large, seconds(5));
  EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace huiliu::net
