#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "net/token.h"
#include "runtime/base/clock.h"
#include "service/monitor/control_gate.h"
#include "service/monitor/control_pages.h"
#include "service/monitor/health.h"
#include "service/temporary_folder.h"

namespace huiliu::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kToken = "0123456789abcdef";

net::HttpRequest command(const std::string& host = "127.0.0.1:9464") {
  return {.method = "POST", .path = "/control/pause", .is_local = true, .host = host};
}

/// 200 for what may be done.
unsigned judged(const net::HttpRequest& request, const ControlAccess& access = {}) {
  const auto no = refused(request, access);
  return no ? no->status : 200;
}

TEST(ControlGateTest, OnlyPostChangesAnything) {
  for (const char* method : {"GET", "HEAD", "PUT", "OPTIONS"}) {
    net::HttpRequest request = command();
    request.method = method;
    EXPECT_EQ(judged(request), 405u) << method;
  }
  EXPECT_EQ(judged(command()), 200u);
}

TEST(ControlGateTest, PagesInABrowserMayNotAsk) {
  net::HttpRequest request = command();
  request.has_origin = true;
  EXPECT_EQ(judged(request), 403u);
  request.authorization = std::string("Bearer ") + kToken;
  EXPECT_EQ(judged(request, {.token = kToken}), 403u);
}

TEST(ControlGateTest, AHostThatOthersMayLetPointHereIsRefused) {
  for (const char* host : {"127.0.0.1:9464", "127.0.0.1", "localhost", "localhost:9464",
                           "[::1]:9464", "[::1]", "10.0.0.7:80"}) {
    EXPECT_EQ(judged(command(host)), 200u) << host;
  }
  for (const char* host : {"evil.example", "evil.example:9464", "", ":9464", "localhost.evil:1",
                           "127.0.0.1.evil.example:80"}) {
    EXPECT_EQ(judged(command(host)), 403u) << host;
  }
}

TEST(ControlGateTest, WhoAsksFromElsewhereNeedsTheToken) {
  net::HttpRequest request = command("10.0.0.7:9464");
  request.is_local = false;
  EXPECT_EQ(judged(request), 403u) << "there is no token that could be right";
  EXPECT_EQ(judged(request, {.token = kToken}), 401u);
  request.authorization = "Bearer 0123456789abcdeF";
  EXPECT_EQ(judged(request, {.token = kToken}), 401u);
  request.authorization = std::string("Bearer ") + kToken;
  EXPECT_EQ(judged(request, {.token = kToken}), 200u);
  EXPECT_EQ(judged(request), 403u);
}

TEST(ControlGateTest, AProxyOnThisMachineAsksForSomebodyElse) {
  net::HttpRequest request = command();
  request.is_forwarded = true;
  EXPECT_EQ(judged(request), 403u);
  EXPECT_EQ(judged(request, {.token = kToken}), 401u);
}

TEST(ControlGateTest, AWrongTokenIsRefusedFromThisMachineToo) {
  net::HttpRequest request = command();
  EXPECT_EQ(judged(request, {.token = kToken}), 200u);
  request.authorization = "Bearer wrong";
  EXPECT_EQ(judged(request, {.token = kToken}), 401u);
}

TEST(TokenTest, IsComparedAsAWhole) {
  EXPECT_TRUE(net::has_token("Bearer abc", "abc"));
  for (const char* wrong : {"Bearer ab", "Bearer abcabc", "Bearer abd", "Bearer ", "abc", ""}) {
    EXPECT_FALSE(net::has_token(wrong, "abc")) << wrong;
  }
  EXPECT_FALSE(net::has_token("Bearer ", ""));
}

TEST(TokenTest, AFileThatOthersMayReadIsRefused) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "token").string();
  EXPECT_THAT(net::read_token(path).status().message(), HasSubstr("No such file"));
  std::ofstream(path) << kToken << "\n";
  fs::permissions(path, fs::perms(0640));
  EXPECT_EQ(net::read_token(path).value(), kToken);
  fs::permissions(path, fs::perms(0644));
  EXPECT_EQ(net::read_token(path).status().code(), runtime::StatusCode::kInvalid);
  EXPECT_THAT(net::read_token(path).status().message(), HasSubstr("mode 0644"));
  EXPECT_THAT(net::read_token(path).status().message(), Not(HasSubstr(kToken)));
  fs::permissions(path, fs::perms(0600));
  std::ofstream(path) << "short\n";
  EXPECT_THAT(net::read_token(path).status().message(), HasSubstr("from 16 to 4096 bytes"));
  EXPECT_THAT(net::read_token(folder.path().string()).status().message(),
              HasSubstr("no regular file"));
}

class ControlPagesTest : public ::testing::Test {
 protected:
  struct Nobody final : RunObserver {
    void importing(const std::string&) override {}
    void opened(const runtime::EngineProgress&) override {}
    void progress(const runtime::EngineProgress&) override {}
    void paused() override {}
  };

  net::HttpResponse post(const std::string& what, const std::string& query = "timeout=0") {
    net::HttpRequest request = command();
    request.path = "/control/" + what;
    request.query = query;
    return pages_.answer(request);
  }
  /// The answer that comes later, which must be there.
  net::HttpResponse outcome(const net::HttpResponse& response) {
    const auto answer = response.later();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(net::HttpResponse{.status = 0});
  }

  runtime::Topology topology_;
  Nobody nobody_;
  RunMonitor monitor_{nobody_};
  RunControl control_;
  std::string level_;
  ControlPages pages_{topology_, control_, monitor_, {}, [this](const std::string& level) {
                        level_ = level;
                        return level == "debug";
                      }};
};

TEST_F(ControlPagesTest, WhatIsNotInForceYetSaysWhatItWaitsFor) {
  const net::HttpResponse paused = post("pause");
  EXPECT_TRUE(control_.pause_asked());
  EXPECT_EQ(outcome(paused).status, 202u);
  EXPECT_THAT(outcome(paused).body, HasSubstr("starting: the state and the components"));
  const net::HttpResponse waiting = post("drain", "timeout=60");
  EXPECT_FALSE(waiting.later().has_value());
  runtime::EngineProgress progress;
  progress.delivering = {"db"};
  progress.away["db"] = {"connection refused", 0, 3};
  monitor_.opened(progress);
  const std::string body = outcome(post("drain")).body;
  EXPECT_THAT(body, HasSubstr("sink db has not delivered"));
  EXPECT_THAT(body, HasSubstr("away db: connection refused; tried 3 times"));
}

TEST_F(ControlPagesTest, ADrainIsAnsweredWhenTheRunHasEnded) {
  const net::HttpResponse drained = post("drain", "timeout=60");
  const net::HttpResponse paused = post("pause", "timeout=60");
  EXPECT_EQ(outcome(paused).status, 409u) << "a run that drains is not paused any more";
  control_.ended(true);
  EXPECT_EQ(outcome(drained).status, 200u);
  EXPECT_EQ(outcome(paused).status, 409u);
}

TEST_F(ControlPagesTest, ARunThatEndsOtherwiseIsNotDrained) {
  const net::HttpResponse drained = post("drain", "timeout=60");
  control_.ended(false);
  EXPECT_EQ(outcome(drained).status, 409u);
}

TEST_F(ControlPagesTest, APauseEndsWhenTheOppositeIsAsked) {
  const net::HttpResponse paused = post("pause", "timeout=60");
  EXPECT_FALSE(paused.later().has_value());
  post("resume");
  EXPECT_EQ(outcome(paused).status, 409u);
  EXPECT_FALSE(control_.pause_asked());
}

TEST_F(ControlPagesTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* query : {"timeout=x", "timeout=-1", "timeout=601", "timeout=1s"}) {
    EXPECT_EQ(post("pause", query).status, 400u) << query;
  }
  EXPECT_FALSE(control_.pause_asked());
  EXPECT_EQ(post("explode").status, 404u);
  EXPECT_EQ(post("log-level", "level=loud").status, 400u);
  EXPECT_EQ(post("log-level", "level=debug").status, 200u);
  EXPECT_EQ(level_, "debug");
}

TEST_F(ControlPagesTest, ASnapshotGoesWhereTheTopologySaysOrNowhere) {
  EXPECT_EQ(post("snapshot", "folder=/tmp").status, 400u);
  topology_.snapshots = "/nowhere";
  const net::HttpResponse asked = post("snapshot", "timeout=60");
  std::optional<net::HttpResponse> made;
  while (!made) made = asked.later();
  EXPECT_EQ(made->status, 500u);
  EXPECT_THAT(made->body, HasSubstr("the state is not open now"));
}

TEST_F(ControlPagesTest, AGetIsRefused) {
  net::HttpRequest request = command();
  request.method = "GET";
  EXPECT_EQ(pages_.answer(request).status, 405u);
  EXPECT_FALSE(control_.pause_asked());
}

TEST(ReadinessTest, APauseByAnOperatorIsAReason) {
  const runtime::Topology topology;
  RunView view;
  view.state = RunView::State::kRunning;
  view.progress.asked = {.pause_asked = true, .drain_asked = false, .paused_with = 7};
  const Readiness paused = readiness(topology, view, 1000);
  ASSERT_EQ(paused.reasons.size(), 1u);
  EXPECT_EQ(paused.reasons.front().code, "paused_by_operator");
  EXPECT_THAT(paused.reasons.front().text, HasSubstr("epoch 7"));
  view.progress.asked = {.pause_asked = true, .drain_asked = true, .paused_with = {}};
  EXPECT_EQ(readiness(topology, view, 1000).reasons.front().code, "draining");
}

TEST(QueryTest, FindsAValueByItsWholeName) {
  EXPECT_EQ(query_value("a=1&timeout=5&b=2", "timeout"), "5");
  EXPECT_EQ(query_value("xtimeout=5", "timeout"), "");
  EXPECT_EQ(query_value("", "timeout"), "");
}

}  // namespace
}  // namespace huiliu::service
