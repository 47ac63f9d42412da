#include "cli/topology_file.h"

#include <cstdio>

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

}  // namespace huiliu::cli
