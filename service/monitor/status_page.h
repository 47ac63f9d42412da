#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/topology/topology.h"
#include "service/monitor/run_monitor.h"

namespace huiliu::service {

/// What a running topology says of itself, as a JSON object. Times are texts in UTC.
std::string status_json(const runtime::Topology& topology, const RunView& view,
                        std::int64_t now_ms);

/// That object as people read it; kInvalid if it is none.
runtime::Result<std::string> status_text(std::string_view json);

}  // namespace huiliu::service
