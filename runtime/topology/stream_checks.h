#pragma once

#include "runtime/topology/topology_draft.h"

namespace huiliu::runtime {

/// Warns of outputs that nobody reads, and reports operators that no event time can reach.
void check_streams(TopologyDraft& draft);

}  // namespace huiliu::runtime
