#pragma once

#include <string>

#include "runtime/base/diagnostics.h"
#include "runtime/component/registry.h"

namespace huiliu::runtime {

/// Loads a shared library and adds its types to the registry. What is wrong is reported at `from`,
/// the place that named the library; a library that does not fit is refused before anything of it
/// runs. Loaded libraries stay in memory until the process ends: types, threads and records may
/// refer to them.
void load_library(const std::string& path, const Place& from, Registry& registry,
                  Diagnostics& diagnostics);

}  // namespace huiliu::runtime
