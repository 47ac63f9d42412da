#include "state/snapshot.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/topology_loading.h"
#include "service/state/state_folder.h"

namespace huiliu::cli {
namespace {

using runtime::Status;

struct Options {
  std::string path, to, name, state, show, token_file;
  net::TlsTrust trust;
  int timeout = 600;  ///< seconds, for a process that makes it
};

void print(const state::SnapshotInfo& info, const std::string& folder) {
  fmt::print("{}\ntopology {}, epoch {}, {}, {} shards\n", folder, info.topology, info.epoch,
             info.time, info.shards);
  for (const auto& table : info.tables)
    fmt::print("  {:<32} {:>12} rows\n", table.name, table.rows);
}

std::string usual_name(const runtime::Topology& topology) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{}-{:%Y%m%dT%H%M%SZ}", topology.id, now);
}

int take(const Options& options) {
  const auto topology = load_for_run(options.path);
  if (!topology) return kUsage;
  service::OpenState state;
  const Status opened =
      service::open_state(*topology, service::state_folder_of(*topology, options.state), state);
  if (!opened.is_ok()) return report_error(opened);
  if (state.shared) {
    return report_error(Status::invalid(
        "several workers share the topology: rows are on their way between them, and no one of "
        "them has a state that is whole. To change it, end the workers and start them with the "
        "new file (docs/guides/upgrade-a-topology.md)"));
  }
  state::SnapshotInfo info;
  info.name = options.name.empty() ? usual_name(*topology) : options.name;
  info.topology = topology->id;
  info.shards = topology->shards;
  info.held = state.held;
  const std::string folder = (std::filesystem::path(options.to) / info.name).string();
  auto written = state::Snapshot::write(*state.reader, folder, info);
  if (!written.is_ok()) return report_error(written.status());
  print(*written, folder);
  return kSuccess;
}

int show(const Options& options) {
  auto snapshot = state::Snapshot::open(options.show);
  if (!snapshot.is_ok()) return report_error(snapshot.status());
  print((*snapshot)->info(), options.show);
  return kSuccess;
}

/// The process that runs, which knows where to.
int ask(const Options& options) {
  if (!options.name.empty() || !options.state.empty()) {
    fmt::print(stderr, "error: --name and --state need --to FOLDER\n");
    return kUsage;
  }
  return give_command({.name = "snapshot",
                       .to = {options.path, options.trust},
                       .token_file = options.token_file,
                       .timeout = options.timeout});
}

int run(const Options& options) {
  if (!options.show.empty()) return show(options);
  if (!options.path.empty() && !options.to.empty()) return take(options);
  if (!options.path.empty()) return ask(options);
  fmt::print(stderr, "error: expected TOPOLOGY --to FOLDER, IP:PORT, or --show SNAPSHOT\n");
  return kUsage;
}

}  // namespace

void add_snapshot(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "snapshot", "Copies the state of a topology, running or not, to start others from.");
  command->footer(
      "The copy is of one committed epoch and never changes; `huiliu run --from` starts from it. "
      "It\nholds what the tables hold, also what is personal: keep it where the state is kept.\n"
      "Examples:\n"
      "  huiliu snapshot topology.yaml --to /var/backups/huiliu\n"
      "  huiliu snapshot 10.0.0.7:9464 --token-file token  (to its `server: {snapshots: ...}`)\n"
      "  huiliu snapshot --show /var/backups/huiliu/credit-20260101T000000Z");
  command->add_option("topology", options->path,
                      "topology file; without --to its process, or the one at IP:PORT, makes it");
  command->add_option("--to", options->to, "folder that gets the snapshot's folder");
  command->add_option("--name", options->name, "name of the snapshot; else id and time");
  command->add_option("--state", options->state, "folder of the state instead of the file's");
  command->add_option("--show", options->show, "a snapshot's folder: says what is in it");
  add_trust_options(*command, options->trust);
  command->add_option("--token-file", options->token_file,
                      "file with the token, for a process on another machine");
  command->add_option("--timeout", options->timeout, "seconds to wait for a process that makes it")
      ->check(CLI::Range(0, 600))
      ->capture_default_str();
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace huiliu::cli
