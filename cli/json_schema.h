#pragma once

#include <string>

#include "runtime/registry.h"

namespace huiliu::cli {

/// JSON Schema (draft 7) of topology files, with every type of the registry.
std::string topology_json_schema(const runtime::Registry& registry);

}  // namespace huiliu::cli
