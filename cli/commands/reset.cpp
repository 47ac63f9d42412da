#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "service/state/state_folder.h"
#include "service/state/state_removal.h"
#include "state/folder_lock.h"

namespace huiliu::cli {
namespace {

using runtime::Status;
using runtime::Topology;

struct Options {
  std::string path, state;
  bool yes = false;
};

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  const double kib = static_cast<double>(bytes) / 1024;
  return kib < 1024 ? fmt::format("{:.1f} KiB", kib) : fmt::format("{:.1f} MiB", kib / 1024);
}

/// The brokers hold the state then, and this program deletes no topics.
int refuse_kafka(const Topology& topology) {
  const auto& config = *topology.backend_config;
  fmt::print(stderr,
             "error: the state of '{0}' is in the brokers' topics; huiliu deletes no topics. When "
             "no process runs the topology:\n"
             "  1. delete the topics whose names begin with '{0}.' and end with .progress, "
             ".changelog, .outbox, .work or .repartition (`kafka-topics.sh --list`)\n"
             "  2. delete the consumer group '{1}' (`kafka-consumer-groups.sh --delete`)\n"
             "  3. delete the state folders of all its workers\n"
             "Topics that its sinks write stay as they are.\n",
             topology.id, config.string_or("group", topology.id));
  return kUsage;
}

/// What sinks have written and what is not touched.
void print_kept(const Topology& topology) {
  for (const auto& node : topology.nodes) {
    if (node.kind != runtime::ComponentKind::kSink) continue;
    const auto& path = (*node.config)["path"];
    const std::string where = !path.is_scalar() ? "" : path.secret() ? " ***" : " " + path.text();
    fmt::print("  stays: what sink {} ({}) wrote{}\n", node.name, node.type_name, where);
  }
}

bool confirmed() {
  fmt::print("Remove it? The next run begins with the first record. [y/N] ");
  std::fflush(stdout);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

int remove_of(const Options& options) {
  const auto topology = load_for_run(options.path);
  if (!topology) return kUsage;
  const bool embedded =
      topology->backend == nullptr || topology->backend->descriptor.name == "embedded";
  if (!embedded) return refuse_kafka(*topology);
  const std::string folder = service::state_folder_of(*topology, options.state);
  if (const pid_t owner = state::owner_of(folder); owner != 0) {
    return report_error(Status::unavailable(state::owned_text(folder, owner) + ". End it first"));
  }
  const auto remains = service::find_state(*topology, folder);
  if (!remains.is_ok()) return report_error(remains.status());
  fmt::print("topology {}\n  goes:  the state in {} ({}, epoch {})\n", topology->id, folder,
             size_text(remains.value().bytes), remains.value().epoch);
  print_kept(*topology);
  if (!options.yes && !confirmed()) {
    fmt::print("nothing was removed\n");
    return kFailed;
  }
  if (const Status status = service::remove_state(remains.value()); !status.is_ok()) {
    return report_error(status);
  }
  fmt::print("removed\n");
  return kSuccess;
}

}  // namespace

void add_reset(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "reset", "Removes a topology's state, so that the next run begins with the first record.");
  command->footer(
      "Says what would go and asks. What sinks have written stays: remove or move it too, since "
      "a\nfresh start does not write into files of an earlier one.\n"
      "Examples:\n  huiliu reset topology.yaml\n  huiliu reset --yes topology.yaml");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--state", options->state, "folder of the state instead of the file's");
  command->add_flag("-y,--yes", options->yes, "do not ask");
  command->callback([options, &exit_code] { exit_code = remove_of(*options); });
}

}  // namespace huiliu::cli
