#include "service/topology_file.h"

#include "runtime/component/library_loader.h"
#include "runtime/component/registry.h"
#include "runtime/topology/repartition.h"

namespace huiliu::service {

namespace {

std::optional<runtime::Topology> split(runtime::Topology topology,
                                       runtime::Diagnostics& diagnostics) {
  runtime::Topology made = runtime::split_for_workers(std::move(topology), diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  return made;
}

}  // namespace

std::optional<runtime::Topology> load_checked(const std::string& path,
                                              runtime::Diagnostics& diagnostics) {
  runtime::Topology topology =
      runtime::load_topology(path, runtime::Registry::linked(), diagnostics);
  if (diagnostics.has_errors()) return std::nullopt;
  return topology;
}

std::optional<runtime::Topology> load_for_run(const std::string& path,
                                              runtime::Diagnostics& diagnostics) {
  auto topology = load_checked(path, diagnostics);
  if (!topology || !runtime::shares_work(*topology)) return topology;
  return split(std::move(*topology), diagnostics);
}

std::optional<runtime::Topology> load_for_workers(const std::string& path,
                                                  runtime::Diagnostics& diagnostics) {
  auto topology = load_checked(path, diagnostics);
  if (!topology) return topology;
  return split(std::move(*topology), diagnostics);
}

std::unique_ptr<runtime::Registry> registry_with(const std::vector<std::string>& libraries,
                                                 runtime::Diagnostics& diagnostics) {
  auto registry = std::make_unique<runtime::Registry>(&runtime::Registry::linked());
  for (const std::string& path : libraries) {
    runtime::load_library(path, {"--library", 0, 0}, *registry, diagnostics);
  }
  if (diagnostics.has_errors()) registry.reset();
  return registry;
}

}  // namespace huiliu::service
