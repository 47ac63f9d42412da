#pragma once

#include "runtime/topology/topology_draft.h"

namespace huiliu::runtime {

/// Rejects that no node reads go to the sink that `rejects` names. The rejects of that sink and of
/// what reads them cannot: they would come back to where they were refused. Returns the nodes whose
/// rejects nobody reads then.
std::vector<NodeDraft*> route_rejects(const Config& rejects, TopologyDraft& draft);
/// Reports a sink that is not there, and rejects that go nowhere.
void report_rejects(const Config& rejects, const std::vector<NodeDraft*>& unread,
                    TopologyDraft& draft);

}  // namespace huiliu::runtime
