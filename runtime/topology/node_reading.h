#pragma once

#include "runtime/topology/topology_draft.h"

namespace huiliu::runtime {

/// Settings, the backend, and every node with its type, options and inputs, as they are written.
void read_nodes(const Config& root, TopologyDraft& draft);

}  // namespace huiliu::runtime
