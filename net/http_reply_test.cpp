#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "net/http_get.h"
#include "net/http_server.h"
#include "net/raw_connection_testing.h"

namespace huiliu::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Requests that came and wait for a test to answer them.
class Waiting {
 public:
  HttpServer::AsyncHandler handler() {
    return [this](HttpRequest request, HttpReply reply) {
      if (request.path == "/now") return reply({.body = "now"});
      if (request.path == "/throws") throw std::runtime_error("as asked");
      const std::lock_guard lock(mutex_);
      last_ = std::move(request);
      replies_.push_back(std::move(reply));
      came_.notify_all();
    };
  }
  std::vector<HttpReply> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, std::chrono::seconds(30), [&] { return replies_.size() >= count; });
    EXPECT_EQ(replies_.size(), count);
    return std::exchange(replies_, {});
  }
  HttpRequest last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  HttpRequest last_;
  std::vector<HttpReply> replies_;
};

constexpr const char* kAsk = "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";

class HttpReplyTest : public ::testing::Test {
 protected:
  void serve(const HttpLimits& limits = {}) {
    auto started = HttpServer::start("127.0.0.1:0", waiting_.handler(), limits);
    ASSERT_TRUE(started.is_ok());
    server_ = std::move(started.value());
  }
  void expect_alive() { EXPECT_EQ(http_get(server_->address(), "/now").value(), "now"); }

  Waiting waiting_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpReplyTest, AnotherThreadAnswersOnce) {
  serve();
  Raw raw(server_->address());
  raw.send(kAsk);
  auto replies = waiting_.take(1);
  expect_alive();
  std::thread([reply = replies.front()] {
    reply({.status = 202, .body = "first"});
    reply({.body = "second"});
  }).join();
  EXPECT_THAT(raw.until("first"), HasSubstr("202 Accepted"));
  raw.send("GET /now HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string rest = raw.rest();
  EXPECT_THAT(rest, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(rest, ::testing::Not(HasSubstr("second")));
  server_->settle(std::chrono::seconds(10));
}

TEST_F(HttpReplyTest, ARequestThatNobodyAnswersIsAFault) {
  serve();
  Raw raw(server_->address());
  raw.send(kAsk);
  waiting_.take(1);
  EXPECT_THAT(raw.until("an answer\n"), StartsWith("HTTP/1.1 500"));
  raw.send("GET /throws HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(raw.until("an answer\n"), StartsWith("HTTP/1.1 500"));
}

TEST_F(HttpReplyTest, AClientThatGoesAwayHarmsNobody) {
  serve({.connections = 8});
  for (int i = 0; i < 40; ++i) {
    Raw raw(server_->address());
    raw.send(kAsk);
    const auto replies = waiting_.take(1);
    i % 2 == 0 ? raw.reset() : raw.close();
    if (i % 4 < 2) expect_alive();
    replies.front()({.body = std::string(1u << 20, 'x')});
  }
  expect_alive();
}

TEST_F(HttpReplyTest, AnswersMayComeAfterTheServerHasGone) {
  serve();
  Raw raw(server_->address());
  raw.send(kAsk);
  const auto replies = waiting_.take(1);
  std::atomic<bool> stop{false};
  std::thread answers([&] {
    while (!stop) replies.front()({.body = "late"});
  });
  server_.reset();
  stop = true;
  answers.join();
}

TEST_F(HttpReplyTest, ACrowdOfSilentConnectionsTakesNoAnswerAway) {
  serve({.connections = 10});
  Raw asks(server_->address());
  asks.send(kAsk);
  const auto replies = waiting_.take(1);
  std::vector<std::unique_ptr<Raw>> crowd;
  for (int i = 0; i < 100; ++i) crowd.push_back(std::make_unique<Raw>(server_->address()));
  expect_alive();
  replies.front()({.body = "answered"});
  EXPECT_THAT(asks.until("answered"), HasSubstr("200 OK"));
}

TEST_F(HttpReplyTest, WhereAllWaitForAnswersANewConnectionIsClosed) {
  serve({.connections = 2});
  Raw one(server_->address()), two(server_->address());
  one.send(kAsk);
  two.send(kAsk);
  const auto replies = waiting_.take(2);
  Raw three(server_->address());
  EXPECT_EQ(three.rest(), "");
  for (const HttpReply& reply : replies) reply({.body = "answered"});
  EXPECT_THAT(one.until("answered"), HasSubstr("200 OK"));
  EXPECT_THAT(two.until("answered"), HasSubstr("200 OK"));
}

TEST_F(HttpReplyTest, SaysWhatAnIntakeAsksFor) {
  serve();
  Raw raw(server_->address());
  raw.send(
      "POST /in/a?b=c HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
      "Idempotency-Key: k-1\r\nAuthorization: Bearer t\r\nContent-Length: 2\r\n\r\n{}");
  waiting_.take(1).front()({.status = 503, .body = "full", .retry_after = 7});
  EXPECT_THAT(raw.until("full"), HasSubstr("Retry-After: 7"));
  const HttpRequest seen = waiting_.last();
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/in/a");
  EXPECT_EQ(seen.query, "b=c");
  EXPECT_EQ(seen.content_type, "application/json");
  EXPECT_EQ(seen.idempotency_key, "k-1");
  EXPECT_EQ(seen.authorization, "Bearer t");
  EXPECT_EQ(seen.content_length, 2u);
  EXPECT_EQ(seen.body, "{}");
  raw.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
  waiting_.take(1).front()({.body = "done"});
  raw.until("done");
  EXPECT_EQ(waiting_.last().content_length, std::nullopt);
  EXPECT_EQ(waiting_.last().body, "a");
}

TEST_F(HttpReplyTest, AClientThatWaitsForContinueIsToldToGoOnOrThatItIsTooMuch) {
  serve({.body_bytes = 100});
  Raw fits(server_->address());
  fits.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(fits.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  fits.send("abc");
  waiting_.take(1).front()({.body = "taken"});
  EXPECT_THAT(fits.until("taken"), HasSubstr("200 OK"));
  EXPECT_EQ(waiting_.last().body, "abc");
  Raw large(server_->address());
  large.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  EXPECT_THAT(large.rest(), StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpReplyTest, WhoSendsTooMuchStillReadsWhy) {
  serve({.body_bytes = 100});
  Raw large(server_->address());
  large.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" +
             std::string(500000, 'x'));
  EXPECT_THAT(large.rest(), HasSubstr("too large"));
  Raw chunks(server_->address());
  chunks.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" +
              std::string(255, 'x') + "\r\n0\r\n\r\n");
  EXPECT_THAT(chunks.rest(), StartsWith("HTTP/1.1 413"));
}

}  // namespace
}  // namespace huiliu::net
