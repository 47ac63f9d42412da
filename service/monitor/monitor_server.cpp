#include "service/monitor/monitor_server.h"

#include <optional>

#include "runtime/base/clock.h"
#include "service/monitor/health.h"
#include "service/monitor/metrics_page.h"
#include "service/monitor/status_page.h"

namespace huiliu::service {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kMetrics = "text/plain; version=0.0.4; charset=utf-8";

constexpr const char* kIndex =
    "/metrics   for Prometheus\n"
    "/livez     200 while the process answers for its threads\n"
    "/readyz    200 while it does its work, 503 with the reasons if not\n"
    "/status    what `huiliu status` shows, as JSON\n"
    "POST /control/pause, /control/resume, /control/drain, /control/snapshot,\n"
    "     /control/log-level?level=LEVEL\n";

}  // namespace

net::HttpResponse answer_monitor(const net::HttpRequest& request, const runtime::Topology& topology,
                                 const RunView& view, std::int64_t now_ms) {
  if (request.method != "GET" && request.method != "HEAD") {
    return {.status = 405, .body = "only GET is understood here\n"};
  }
  if (request.path == "/") return {.body = kIndex};
  if (request.path == "/metrics") {
    return {.content_type = kMetrics, .body = metrics_page(topology, view, now_ms)};
  }
  if (request.path == "/livez") {
    const bool alive = is_alive(view, now_ms);
    return {.status = alive ? 200u : 503u,
            .content_type = kJson,
            .body = alive ? "{\"alive\":true}\n" : "{\"alive\":false}\n"};
  }
  if (request.path == "/readyz") {
    const Readiness now = readiness(topology, view, now_ms);
    return {
        .status = now.ready() ? 200u : 503u, .content_type = kJson, .body = readiness_json(now)};
  }
  if (request.path == "/status") {
    return {.content_type = kJson, .body = status_json(topology, view, now_ms)};
  }
  return {.status = 404, .body = "there is no such page; / lists them\n"};
}

runtime::Result<std::unique_ptr<net::HttpServer>> start_monitor(const std::string& address,
                                                                const runtime::Topology& topology,
                                                                const RunMonitor& monitor,
                                                                ControlPages* controls) {
  std::optional<net::TlsOptions> tls;
  const runtime::ServerTls& files = topology.tls;
  if (!files.certificate.empty()) tls = {files.certificate, files.key, files.client_ca};
  return net::HttpServer::start(
      address,
      [&topology, &monitor, controls](const net::HttpRequest& request) {
        if (controls != nullptr && ControlPages::is_command(request.path)) {
          return controls->answer(request);
        }
        return answer_monitor(request, topology, monitor.view(), runtime::system_clock().now_ms());
      },
      {}, tls);
}

}  // namespace huiliu::service
