#include "cli/topology_file.h"

#include <cstdio>

#include "runtime/library_loader.h"
#include "runtime/registry.h"

namespace huiliu::cli {

std::optional<runtime::Topology> load_checked(const std::string& path) {
  runtime::Diagnostics diagnostics;
  runtime::Topology topology =
      runtime::load_topology(path, runtime::Registry::linked(), diagnostics);
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!diagnostics.has_errors()) return topology;
  std::fprintf(stderr, "%zu error%s\n", diagnostics.errors(), diagnostics.errors() == 1 ? "" : "s");
  return std::nullopt;
}

std::unique_ptr<runtime::Registry> registry_with(const std::vector<std::string>& libraries) {
  auto registry = std::make_unique<runtime::Registry>(&runtime::Registry::linked());
  runtime::Diagnostics diagnostics;
  for (const std::string& path : libraries) {
    runtime::load_library(path, {"--library", 0, 0}, *registry, diagnostics);
  }
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (diagnostics.has_errors()) registry.reset();
  return registry;
}

}  // namespace huiliu::cli
