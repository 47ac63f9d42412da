#pragma once

#include <string>

#include "runtime/component/registry.h"

namespace huiliu::service {

/// JSON Schema (draft 7) of topology files, with every type of the registry.
std::string topology_json_schema(const runtime::Registry& registry);

}  // namespace huiliu::service
