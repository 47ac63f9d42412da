#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "runtime/topology/topology.h"
#include "service/monitor/run_monitor.h"

namespace huiliu::service {

/// Whether a run does its work, and if not, what keeps it from it.
struct Readiness {
  struct Reason {
    /// Stable, for programs: "starting", "paused", "restoring", "away", "epoch_overdue",
    /// "paused_by_operator", "draining".
    std::string code;
    std::string subject;        ///< a component, or ""
    std::string text;           ///< for people
    std::int64_t since_ms = 0;  ///< by the clock
  };
  std::vector<Reason> reasons;
  bool ready() const { return reasons.empty(); }
};

/// An epoch is overdue when nothing was committed for this long though something was read: ten
/// epochs, at least ten seconds.
std::int64_t epoch_overdue_ms(const runtime::Topology& topology);

/// `now_ms` by the clock.
Readiness readiness(const runtime::Topology& topology, const RunView& view, std::int64_t now_ms);

/// Whether the threads of the run still answer: they told of themselves within a minute.
bool is_alive(const RunView& view, std::int64_t now_ms);

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;
/// Writes the members "ready" and "reasons" of an object that is open.
void write_readiness(const Readiness& readiness, JsonWriter& json);
/// {"ready": ..., "reasons": [...]}
std::string readiness_json(const Readiness& readiness);

}  // namespace huiliu::service
