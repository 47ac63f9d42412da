#pragma once

#include <memory>
#include <string>

#include "net/http_server.h"
#include "runtime/base/status.h"
#include "runtime/topology/topology.h"
#include "service/monitor/control_pages.h"
#include "service/monitor/run_monitor.h"

namespace huiliu::service {

/// Answers GET /metrics (Prometheus), /livez, /readyz, /status (JSON) and / (what there is).
/// Commands below /control/ if `controls` is not null. `topology`, `monitor` and `controls` outlive
/// the server.
runtime::Result<std::unique_ptr<net::HttpServer>> start_monitor(const std::string& address,
                                                                const runtime::Topology& topology,
                                                                const RunMonitor& monitor,
                                                                ControlPages* controls = nullptr);

/// The answer to one request, for tests.
net::HttpResponse answer_monitor(const net::HttpRequest& request, const runtime::Topology& topology,
                                 const RunView& view, std::int64_t now_ms);

}  // namespace huiliu::service
