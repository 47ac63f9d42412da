#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/monitor_address.h"
#include "net/http_get.h"
#include "service/monitor/status_page.h"

namespace huiliu::cli {
namespace {

struct Options {
  MonitorOptions of;
  bool json = false;
};

int status(const Options& options) {
  const auto peer = monitor_peer(options.of);
  if (!peer) return kUsage;
  const auto answer = net::http_get(*peer, "/status");
  if (!answer.is_ok()) return report_error(answer.status());
  if (options.json) {
    std::fputs(answer.value().c_str(), stdout);
    return kSuccess;
  }
  const auto text = service::status_text(answer.value());
  if (!text.is_ok()) return report_error(text.status());
  std::fputs(text.value().c_str(), stdout);
  return kSuccess;
}

}  // namespace

void add_status(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("status", "Shows what a running topology says of itself.");
  command->footer(
      "The process answers where `server: {listen: ...}` or `run --listen` says.\n"
      "Examples:\n  huiliu status 127.0.0.1:9464\n  huiliu status --json topology.yaml");
  add_monitor_options(*command, options->of);
  command->add_flag("--json", options->json, "the whole as a JSON object");
  command->callback([options, &exit_code] { exit_code = status(*options); });
}

}  // namespace huiliu::cli
