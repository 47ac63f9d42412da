#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/topology_loading.h"

namespace huiliu::cli {
namespace {

int validate(const std::string& path) {
  const auto topology = load_for_run(path);
  if (!topology) return kUsage;
  const auto count = [&topology](runtime::ComponentKind kind) {
    return std::count_if(topology->nodes.begin(), topology->nodes.end(),
                         [kind](const runtime::Node& node) { return node.kind == kind; });
  };
  std::printf("%s: OK: %td sources, %td operators, %td sinks\n", path.c_str(),
              count(runtime::ComponentKind::kSource), count(runtime::ComponentKind::kOperator),
              count(runtime::ComponentKind::kSink));
  return kSuccess;
}

}  // namespace

void add_validate(CLI::App& app, int& exit_code) {
  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* command =
      app.add_subcommand("validate", "Checks topologies and prints every mistake with its place.");
  command->footer("Example:\n  huiliu validate topologies/credit/topology.yaml");
  command->add_option("topology", *paths, "topology files")->required();
  command->callback([paths, &exit_code] {
    for (const std::string& path : *paths) exit_code = std::max(exit_code, validate(path));
  });
}

}  // namespace huiliu::cli
