#pragma once

#include <cstdint>
#include <string>

#include "runtime/topology/topology.h"
#include "service/monitor/run_monitor.h"

namespace huiliu::service {

/// All metrics in Prometheus' text format. Labels are names of the topology's own (nodes, outputs,
/// splits, codes), of which there are boundedly many; nothing in them is of a record.
std::string metrics_page(const runtime::Topology& topology, const RunView& view,
                         std::int64_t now_ms);

}  // namespace huiliu::service
