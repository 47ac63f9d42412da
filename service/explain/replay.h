#pragma once

#include <cstdint>
#include <functional>

#include "runtime/base/status.h"
#include "runtime/topology/topology.h"
#include "service/explain/recorder.h"

namespace huiliu::service {

/// How a replay ended.
struct ReplayEnd {
  runtime::Status status = runtime::Status::ok();
  bool interrupted = false;
  bool idle = false;  ///< the input did not end, but nothing more came
};

struct ReplayHooks {
  /// Input that does not end counts as ended after so long without a record. Sources that watch a
  /// folder look again after a second by default.
  std::int64_t idle_ms = 2500;
  /// Asked after each slice; true ends the replay.
  std::function<bool()> interrupted;
  /// Bytes read and in all.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
};

/// Runs the topology from the beginning of its inputs in this thread, under the eyes of the
/// recorder, until the recorder has what it wants or the input ends. Writes nothing but tables in a
/// temporary folder: sinks, outputs and the topology's own state are not touched.
ReplayEnd replay(runtime::Topology topology, Recorder& recorder, const ReplayHooks& hooks = {});

}  // namespace huiliu::service
