#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "net/http_server.h"
#include "service/monitor/control_gate.h"
#include "service/monitor/run_monitor.h"
#include "service/supervisor.h"

namespace huiliu::service {

/// Commands to a run, all by POST:
///   /control/pause      takes no more input; the answer has the epoch with which that is in force
///   /control/resume     goes on
///   /control/drain      reads no more, delivers everything, and ends the process
///   /control/snapshot   copies the state of an epoch into the folder that the topology says
///   /control/log-level  ?level=LEVEL
/// All but the last take ?timeout=SECONDS (30, at most 600): what is not so by then goes on
/// becoming so, and the answer is 202 with what still waits. 200 means that it is in force, 409
/// that it will not be, since the run has ended or something else was asked meanwhile.
class ControlPages {
 public:
  /// False if there is no such level.
  using SetLogLevel = std::function<bool(const std::string& level)>;

  /// `control` and `monitor` outlive it.
  ControlPages(const runtime::Topology& topology, RunControl& control, const RunMonitor& monitor,
               ControlAccess access, SetLogLevel set_log_level);

  static bool is_command(const std::string& path) { return path.starts_with("/control/"); }
  /// On the server's thread.
  net::HttpResponse answer(const net::HttpRequest& request);

 private:
  net::HttpResponse ask(const net::HttpRequest& request, const std::string& command) const;
  std::optional<net::HttpResponse> outcome(const std::string& command) const;
  net::HttpResponse not_yet(const std::string& command) const;
  net::HttpResponse log_level(const net::HttpRequest& request) const;
  /// A copy that is being made, on a thread of its own.
  struct Copy {
    std::string name;
    std::atomic<bool> done{false};
    runtime::Result<std::uint64_t> epoch = runtime::Status::failed("not made yet");
    std::jthread thread;  // the last member: it uses the others
  };
  net::HttpResponse snapshot(const net::HttpRequest& request);
  std::optional<net::HttpResponse> copied(const Copy& copy) const;

  const runtime::Topology& topology_;
  RunControl& control_;
  const RunMonitor& monitor_;
  ControlAccess access_;
  SetLogLevel set_log_level_;
  std::shared_ptr<Copy> copy_;  // the last
};

/// The value of `name` in a query such as "timeout=5&level=info"; "" if it is not there.
std::string query_value(const std::string& query, const std::string& name);

}  // namespace huiliu::service
