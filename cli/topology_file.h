#pragma once

#include <optional>
#include <string>

#include "runtime/topology.h"

namespace huiliu::cli {

/// Loads a topology with the linked component types. Prints all diagnostics to standard error;
/// empty if there are errors among them.
std::optional<runtime::Topology> load_checked(const std::string& path);

}  // namespace huiliu::cli
