#include "cli/topology_loading.h"

#include <cstdio>

#include "runtime/component/registry.h"
#include "service/topology_file.h"

namespace huiliu::cli {

namespace {

void show(const runtime::Diagnostics& diagnostics) {
  std::fputs(diagnostics.to_string().c_str(), stderr);
}

template <class Load>
std::optional<runtime::Topology> shown(const Load& load) {
  runtime::Diagnostics diagnostics;
  auto topology = load(diagnostics);
  show(diagnostics);
  const std::size_t errors = diagnostics.errors();
  if (errors > 0) std::fprintf(stderr, "%zu error%s\n", errors, errors == 1 ? "" : "s");
  return topology;
}

}  // namespace

std::optional<runtime::Topology> load_checked(const std::string& path) {
  return shown([&](auto& diagnostics) { return service::load_checked(path, diagnostics); });
}

std::optional<runtime::Topology> load_for_run(const std::string& path) {
  return shown([&](auto& diagnostics) { return service::load_for_run(path, diagnostics); });
}

std::optional<runtime::Topology> load_for_workers(const std::string& path) {
  return shown([&](auto& diagnostics) { return service::load_for_workers(path, diagnostics); });
}

std::unique_ptr<runtime::Registry> registry_with(const std::vector<std::string>& libraries) {
  runtime::Diagnostics diagnostics;
  auto registry = service::registry_with(libraries, diagnostics);
  show(diagnostics);
  return registry;
}

}  // namespace huiliu::cli
