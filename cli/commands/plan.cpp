#include "runtime/topology/plan.h"

#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "service/plan_text.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string path;
  unsigned parallelism = 0, workers = 0;
  bool json = false, mermaid = false;
};

int print_plan(const Options& options) {
  const auto topology =
      options.workers > 1 ? load_for_workers(options.path) : load_for_run(options.path);
  if (!topology) return kUsage;
  const unsigned threads = options.parallelism ? options.parallelism : topology->parallelism;
  const runtime::Plan plan = runtime::make_plan(*topology, threads);
  const std::string text = options.json      ? service::plan_json(plan)
                           : options.mermaid ? service::plan_mermaid(plan)
                                             : service::plan_text(plan);
  std::fputs(text.c_str(), stdout);
  return kSuccess;
}

}  // namespace

void add_plan(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("plan", "Shows chains, exchanges and the guarantee of each path.");
  command->footer(
      "Examples:\n  huiliu plan topologies/credit/topology.yaml\n"
      "  huiliu plan --mermaid topologies/credit/topology.yaml > plan.mmd");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--parallelism", options->parallelism, "threads")->check(CLI::Range(1, 256));
  command
      ->add_option("--workers", options->workers,
                   "processes that share the work: shows what would go through topics")
      ->check(CLI::Range(1, 10'000));
  auto* json = command->add_flag("--json", options->json, "as JSON");
  command->add_flag("--mermaid", options->mermaid, "as a Mermaid diagram")->excludes(json);
  command->callback([options, &exit_code] { exit_code = print_plan(*options); });
}

}  // namespace huiliu::cli
