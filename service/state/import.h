#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/topology/state_layout.h"
#include "runtime/topology/topology.h"
#include "state/snapshot.h"

namespace huiliu::service {

/// What a start from a snapshot does, found before anything is changed.
struct ImportPlan {
  std::vector<std::string> taken;                         ///< tables, positions, outboxes
  std::vector<std::string> empty;                         ///< the snapshot knows nothing of them
  std::vector<std::string> left_out;                      ///< the topology has no place for them
  std::vector<std::pair<std::string, std::string>> meta;  ///< the engine's, to be committed
  std::vector<std::string> logs;                          ///< outboxes that go on
  std::vector<runtime::LayoutAdoption> adoptions;         ///< tables of another layout
};

/// kInvalid if the topology cannot take the state, or would leave some of it out and
/// `may_leave_out` is not set. Tables and positions are matched by the names of their nodes.
runtime::Result<ImportPlan> plan_import(const state::Snapshot& snapshot,
                                        const runtime::Topology& topology, bool may_leave_out);

enum class ImportState { kNone, kBegun, kDone };
/// How far an earlier start from this snapshot came; kInvalid if there is state of another kind.
runtime::Result<ImportState> import_state(const state::Snapshot& snapshot,
                                          const runtime::Backend& backend);

/// kInvalid if a start from a snapshot was begun and not finished.
runtime::Status check_whole(const runtime::Backend& backend);

/// Commits all of it in steps, the positions with the last one; begun again after a crash it ends
/// the same. The backend must be opened anew afterwards. `interrupted` ends it between two steps
/// with kRestart.
runtime::Status import_snapshot(const state::Snapshot& snapshot, const ImportPlan& plan,
                                const runtime::Topology& topology, runtime::Backend& backend,
                                const std::function<bool()>& interrupted);

std::string import_text(const state::Snapshot& snapshot, const ImportPlan& plan);

}  // namespace huiliu::service
