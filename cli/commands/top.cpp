#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/monitor_address.h"
#include "net/http_get.h"
#include "service/monitor/top_page.h"

namespace huiliu::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  MonitorOptions of;
  double interval = 2;
  bool once = false;
};

struct Look {
  std::string json;
  Clock::time_point at;
};

runtime::Result<Look> look(const net::HttpPeer& peer) {
  auto answer = net::http_get(peer, "/status");
  if (!answer.is_ok()) return answer.status();
  return Look{std::move(answer.value()), Clock::now()};
}

int top(const Options& options) {
  const auto peer = monitor_peer(options.of);
  if (!peer) return kUsage;
  const bool once = options.once || isatty(STDOUT_FILENO) != 1;
  auto before = look(*peer);
  if (!before.is_ok()) return report_error(before.status());
  for (;;) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval));
    auto now = look(*peer);
    if (!now.is_ok()) return report_error(now.status());
    const double seconds = std::chrono::duration<double>(now->at - before->at).count();
    const auto text = service::top_text(before->json, now->json, seconds);
    if (!text.is_ok()) return report_error(text.status());
    // From the top left, and what is left of the last page away.
    if (!once) std::fputs("\x1b[H\x1b[2J", stdout);
    std::fputs(text.value().c_str(), stdout);
    std::fflush(stdout);
    if (once) return kSuccess;
    before = std::move(now);
  }
}

}  // namespace

void add_top(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("top", "Shows what the nodes of a running topology do, again and again.");
  command->footer(
      "Nodes stand with their records a second, the slowest first; under them sources with what "
      "they\nare behind, and whom event time waits for. Ctrl-C ends it. Where the output is no "
      "terminal it\nis printed once, after one interval.\n"
      "Examples:\n  huiliu top 127.0.0.1:9464\n  huiliu top --once --interval 10 topology.yaml");
  add_monitor_options(*command, options->of);
  command->add_option("--interval", options->interval, "seconds between two looks")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  command->add_flag("--once", options->once, "print once, after one interval");
  command->callback([options, &exit_code] { exit_code = top(*options); });
}

}  // namespace huiliu::cli
