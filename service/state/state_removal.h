#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::service {

/// What a state folder holds.
struct StateRemains {
  std::string folder;
  std::uint64_t bytes = 0, epoch = 0;
  std::vector<std::string> files;  ///< names in it
};

/// What is there of a topology's state with the embedded backend. kNotFound if there is none;
/// kInvalid if the folder is another topology's, or holds what is no part of a state. A state that
/// is damaged is there all the same.
runtime::Result<StateRemains> find_state(const runtime::Topology& topology,
                                         const std::string& folder);

/// Removes the files and, if nothing else is in it, the folder. kUnavailable, and nothing is
/// removed, while a process has the state open.
runtime::Status remove_state(const StateRemains& remains);

}  // namespace huiliu::service
