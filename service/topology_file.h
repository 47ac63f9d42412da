#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::service {

/// Loads a topology with the linked component types. Everything that is wrong, and every warning,
/// is in `diagnostics`; empty if there are errors among them.
std::optional<runtime::Topology> load_checked(const std::string& path,
                                              runtime::Diagnostics& diagnostics);

/// The same as it runs: made fit for several workers if its `backend:` says so.
std::optional<runtime::Topology> load_for_run(const std::string& path,
                                              runtime::Diagnostics& diagnostics);
/// The same, as if it said so.
std::optional<runtime::Topology> load_for_workers(const std::string& path,
                                                  runtime::Diagnostics& diagnostics);

/// The linked component types and those of shared libraries, as `--library PATH` names them. Null
/// if something is wrong with one.
std::unique_ptr<runtime::Registry> registry_with(const std::vector<std::string>& libraries,
                                                 runtime::Diagnostics& diagnostics);

}  // namespace huiliu::service
