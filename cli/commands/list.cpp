#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/topology_loading.h"
#include "runtime/component/registry.h"

namespace huiliu::cli {
namespace {

int list(const std::vector<std::string>& libraries) {
  const auto registry = registry_with(libraries);
  if (!registry) return kUsage;
  for (const auto kind : runtime::kAllKinds) {
    std::string text = fmt::format("{}s\n", kind_name(kind));
    for (const auto* descriptor : registry->descriptors(kind)) {
      text += fmt::format("  {:<16} {}\n", descriptor->name, descriptor->summary);
    }
    std::fputs(text.c_str(), stdout);
  }
  fmt::print("built in\n  connectors       {}\n", HUILIU_CONNECTORS);
  return kSuccess;
}

}  // namespace

void add_list(CLI::App& app, int& exit_code) {
  auto libraries = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("list", "Lists sources, operators, sinks and backends.");
  command->footer("Examples:\n  huiliu list\n  huiliu list --library build/liboperators.so");
  command->add_option("--library", *libraries, "shared library to load");
  command->callback([libraries, &exit_code] { exit_code = list(*libraries); });
}

}  // namespace huiliu::cli
