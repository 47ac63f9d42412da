#include "service/monitor/service_notifier.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/clock.h"
#include "service/monitor/health.h"

namespace huiliu::service {
namespace {

/// A line of the protocol ends with a line break, which the words of a broker may have inside.
std::string status_line(const Readiness& readiness) {
  if (readiness.ready()) return "STATUS=ready";
  const Readiness::Reason& reason = readiness.reasons.front();
  const std::string subject = reason.subject.empty() ? "" : " " + reason.subject;
  std::string text = fmt::format("STATUS=not ready: {}{}: {}", reason.code, subject, reason.text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

ServiceNotifier::ServiceNotifier(std::string socket, const runtime::Topology& topology,
                                 const RunMonitor& monitor, const StopRequests& stops,
                                 std::chrono::milliseconds tick)
    : socket_(std::move(socket)), topology_(topology), monitor_(monitor), stops_(stops) {
  thread_ = std::jthread([this, tick](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock(mutex);
    do {
      tell();
    } while (!ended.wait_for(lock, stop, tick, [&stop] { return stop.stop_requested(); }));
  });
}

// A bounded run may have done its work between two ticks. A service that ends without READY=1 has
// failed for the manager, so it is said now if the run was ever opened.
ServiceNotifier::~ServiceNotifier() {
  thread_.request_stop();
  thread_.join();
  if (!said_ready_ && monitor_.view().openings > 0) send("READY=1");
  if (!said_stopping_) send("STOPPING=1");
}

void ServiceNotifier::tell() {
  const RunView view = monitor_.view();
  const std::int64_t now = runtime::system_clock().now_ms();
  const Readiness ready = readiness(topology_, view, now);
  if (!said_ready_ && ready.ready()) said_ready_ = send("READY=1");
  if (!said_stopping_ && stops_.came()) said_stopping_ = send("STOPPING=1");
  std::string status = status_line(ready);
  if (status != last_status_ && send(status)) last_status_ = std::move(status);
  if (is_alive(view, now)) send("WATCHDOG=1");
}

// A manager that does not listen must not hold up the end of a run: what it has no room for is
// said again at the next tick.
bool ServiceNotifier::send(std::string_view text) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof to.sun_path) return false;
  std::memcpy(to.sun_path, socket_.data(), socket_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int out = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (out < 0) return false;
  const ssize_t sent = ::sendto(out, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&to), size);
  ::close(out);
  return sent == static_cast<ssize_t>(text.size());
}

std::unique_ptr<ServiceNotifier> ServiceNotifier::from_environment(
    const runtime::Topology& topology, const RunMonitor& monitor, const StopRequests& stops) {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  if (socket == nullptr || (*socket != '/' && *socket != '@')) return nullptr;
  std::chrono::milliseconds tick(1000);
  if (const char* watchdog = std::getenv("WATCHDOG_USEC")) {
    const std::chrono::milliseconds half(std::strtoll(watchdog, nullptr, 10) / 2000);
    if (half.count() > 0) tick = std::min(tick, half);
  }
  return std::make_unique<ServiceNotifier>(socket, topology, monitor, stops, tick);
}

}  // namespace huiliu::service
