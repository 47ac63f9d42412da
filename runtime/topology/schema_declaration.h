#pragma once

#include "runtime/topology/topology_draft.h"

namespace huiliu::runtime {

/// Lets each node say what it makes of its inputs, and moves it into the topology.
void declare_nodes(TopologyDraft& draft);

}  // namespace huiliu::runtime
