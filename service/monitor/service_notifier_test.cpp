#include "service/monitor/service_notifier.h"

#include <atomic>
#include <cstddef>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace huiliu::service {
namespace {

/// The socket of a service manager, with an abstract name that only this process has.
class Manager {
 public:
  Manager() : name_("@huiliu-test-" + std::to_string(::getpid())) {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path + 1, name_.data() + 1, name_.size() - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&at), size), 0);
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// The next message, "" after ten seconds of silence.
  std::string next() {
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    return count < 0 ? "" : std::string(bytes, static_cast<std::size_t>(count));
  }
  /// The next that is not `usual`.
  std::string next_besides(const std::string& usual) {
    std::string text = next();
    while (text == usual) text = next();
    return text;
  }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int socket_ = -1;
};

struct Nobody final : RunObserver {
  void importing(const std::string&) override {}
  void opened(const runtime::EngineProgress&) override {}
  void progress(const runtime::EngineProgress&) override {}
  void paused() override {}
};

struct Stops final : StopRequests {
  void watch(runtime::Engine&) override {}
  void release() override {}
  void opening(bool) override {}
  bool came() const override { return asked; }
  bool sleep(std::chrono::milliseconds) override { return !asked; }
  std::atomic<bool> asked{false};
};

class ServiceNotifierTest : public ::testing::Test {
 protected:
  std::unique_ptr<ServiceNotifier> notifier(std::chrono::milliseconds tick) {
    return std::make_unique<ServiceNotifier>(manager_.name(), topology_, monitor_, stops_, tick);
  }

  Manager manager_;
  runtime::Topology topology_;
  Nobody nobody_;
  RunMonitor monitor_{nobody_};
  Stops stops_;
};

constexpr std::chrono::milliseconds kSoon(1);
constexpr std::chrono::hours kNever(1);

TEST_F(ServiceNotifierTest, ItIsReadyWhenTheRunIs) {
  const auto notifier = this->notifier(kSoon);
  EXPECT_EQ(manager_.next(),
            "STATUS=not ready: starting: the state and the components are being opened");
  EXPECT_EQ(manager_.next(), "WATCHDOG=1");
  monitor_.opened({});
  EXPECT_EQ(manager_.next_besides("WATCHDOG=1"), "READY=1");
  EXPECT_EQ(manager_.next_besides("WATCHDOG=1"), "STATUS=ready");
  EXPECT_EQ(manager_.next(), "WATCHDOG=1");
  stops_.asked = true;
  EXPECT_EQ(manager_.next_besides("WATCHDOG=1"), "STOPPING=1");
}

TEST_F(ServiceNotifierTest, WhatKeepsItFromItsWorkIsOneLine) {
  runtime::EngineProgress progress;
  progress.away["out"] = {"disk\nfull", 5000, 4};
  monitor_.opened(progress);
  const auto notifier = this->notifier(kNever);
  EXPECT_EQ(manager_.next(), "STATUS=not ready: away out: disk full; tried 4 times");
}

TEST_F(ServiceNotifierTest, ARunThatEndsBetweenTwoTicksWasReady) {
  auto notifier = this->notifier(kNever);
  EXPECT_NE(manager_.next(), "");
  EXPECT_EQ(manager_.next(), "WATCHDOG=1");
  monitor_.opened({});
  monitor_.paused();
  notifier.reset();
  EXPECT_EQ(manager_.next(), "READY=1");
  EXPECT_EQ(manager_.next(), "STOPPING=1");
}

TEST_F(ServiceNotifierTest, ARunThatNeverOpenedWasNot) {
  auto notifier = this->notifier(kNever);
  EXPECT_NE(manager_.next(), "");
  EXPECT_EQ(manager_.next(), "WATCHDOG=1");
  notifier.reset();
  EXPECT_EQ(manager_.next(), "STOPPING=1");
}

}  // namespace
}  // namespace huiliu::service
