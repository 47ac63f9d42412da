#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::cli {

/// As service/topology_file.h; what is wrong goes to standard error.
std::optional<runtime::Topology> load_checked(const std::string& path);
std::optional<runtime::Topology> load_for_run(const std::string& path);
std::optional<runtime::Topology> load_for_workers(const std::string& path);
std::unique_ptr<runtime::Registry> registry_with(const std::vector<std::string>& libraries);

}  // namespace huiliu::cli
