#pragma once

#include "runtime/topology/topology_draft.h"

namespace huiliu::runtime {

/// Finds the node that each input names.
void resolve_streams(TopologyDraft& draft);
/// Puts the nodes in an order in which inputs come first; false if there is a cycle, or if what
/// came before has failed.
bool sort_nodes(TopologyDraft& draft);

}  // namespace huiliu::runtime
