#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "runtime/topology/topology.h"
#include "service/monitor/run_monitor.h"
#include "service/supervisor.h"

namespace huiliu::service {

/// Tells a service manager (the protocol of sd_notify(3)) what /readyz and /livez tell others:
/// READY=1 when the run is ready for the first time, WATCHDOG=1 as long as it is alive, STATUS with
/// what keeps it from its work, STOPPING=1 when it was asked to stop or ends.
class ServiceNotifier {
 public:
  /// `socket` is a path, or @NAME for an abstract one. All that is referred to outlives it.
  ServiceNotifier(std::string socket, const runtime::Topology& topology, const RunMonitor& monitor,
                  const StopRequests& stops, std::chrono::milliseconds tick);
  ~ServiceNotifier();

  /// Null where no service manager waits for word ($NOTIFY_SOCKET is not set). It tells every
  /// second, or twice in the time of $WATCHDOG_USEC if that is shorter.
  static std::unique_ptr<ServiceNotifier> from_environment(const runtime::Topology& topology,
                                                           const RunMonitor& monitor,
                                                           const StopRequests& stops);

 private:
  void tell();
  /// Whether the manager has it.
  bool send(std::string_view text) const;

  std::string socket_;
  const runtime::Topology& topology_;
  const RunMonitor& monitor_;
  const StopRequests& stops_;
  std::string last_status_;
  bool said_ready_ = false, said_stopping_ = false;
  std::jthread thread_;
};

}  // namespace huiliu::service
