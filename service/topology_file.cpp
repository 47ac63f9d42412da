#include "service/topology_file.h"

#include <cstdio>

#include "runtime/component/library_loader.h"
#include "runtime/component/registry.h"
#include "runtime/topology/repartition.h"

namespace huiliu::service {

namespace {

/// False if there are errors.
bool show(const runtime::Diagnostics& diagnostics) {
  std::fputs(diagnostics.to_string().c_str(), stderr);
  if (!diagnostics.has_errors()) return true;
  std::fprintf(stderr, "%zu error%s\n", diagnostics.errors(), diagnostics.errors() == 1 ? "" : "s");
  return false;
}

std::optional<runtime::Topology> split(runtime::Topology topology) {
  runtime::Diagnostics diagnostics;
  runtime::Topology made = runtime::split_for_workers(std::move(topology), diagnostics);
  if (!show(diagnostics)) return std::nullopt;
  return made;
}

}  // namespace

std::optional<runtime::Topology> load_checked(const std::string& path) {
  runtime::Diagnostics diagnostics;
  runtime::Topology topology =
      runtime::load_topology(path, runtime::Registry::linked(), diagnostics);
  if (!show(diagnostics)) return std::nullopt;
  return topology;
}

std::optional<runtime::Topology> load_for_run(const std::string& path) {
  auto topology = load_checked(path);
  if (!topology || !runtime::shares_work(*topology)) return topology;
  return split(std::move(*topology));
}

std::optional<runtime::Topology> load_for_workers(const std::string& path) {
  auto topology = load_checked(path);
  if (!topology) return topology;
  return split(std::move(*topology));
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

}  // namespace huiliu::service
