#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "runtime/component/selection.h"
#include "runtime/topology/topology.h"
#include "service/state/state_folder.h"

namespace huiliu::service {

/// Which of the refused rows are meant; empty: all.
struct RejudgeRequest {
  std::string file;   ///< pattern of a partition's name, or of its last part
  std::string rule;   ///< id, or id@version
  bool anew = false;  ///< do not go on with a rejudgement that was interrupted

  /// Tells requests apart.
  std::string text() const;
};

/// The topology's nodes of type `refused`.
std::vector<std::string> refused_nodes(const runtime::Topology& topology);

struct ChosenRows {
  std::unique_ptr<runtime::Selection> selection;
  bool goes_on = false;  ///< with one that was interrupted
};

/// Rows that are refused as of the state's last epoch and asked for.
runtime::Result<ChosenRows> choose_rows(const runtime::Topology& topology, const OpenState& state,
                                        const RejudgeRequest& request);

/// What a rejudgement has come to.
struct RejudgeOutcome {
  std::map<std::string, std::uint64_t> verdicts;    ///< outcome → rows
  std::map<std::string, std::uint64_t> not_judged;  ///< partition → rows of the selection
};

runtime::Result<RejudgeOutcome> outcome_of(const runtime::Topology& topology,
                                           const OpenState& state,
                                           const runtime::Selection& selection);

}  // namespace huiliu::service
