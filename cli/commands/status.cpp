#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/monitor_address.h"
#include "service/monitor/http_get.h"
#include "service/monitor/status_page.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string of;
  bool json = false;
};

int status(const Options& options) {
  const std::string address = monitor_address(options.of);
  if (address.empty()) return kUsage;
  const auto answer = service::http_get(address, "/status");
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
  command->add_option("of", options->of, "IP:PORT, or the topology file that says it")->required();
  command->add_flag("--json", options->json, "the whole as a JSON object");
  command->callback([options, &exit_code] { exit_code = status(*options); });
}

}  // namespace huiliu::cli
