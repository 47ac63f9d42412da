#pragma once

#include <vector>

#include "service/explain/replay.h"
#include "service/explain/trace.h"

namespace huiliu::service {

/// Fills in what sets the records apart from the earlier ones of the same key, as the comparing
/// step saw both. Needs a second replay, if there are any; what it cannot find stays empty.
ReplayEnd compare_with_earlier(const runtime::Topology& topology, std::vector<Trace>& traces,
                               const ReplayHooks& hooks = {});

}  // namespace huiliu::service
