#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"
#include "service/temporary_folder.h"
#include "state/reader.h"

namespace huiliu::service {

/// The state of a topology, which may be running.
struct OpenState {
  TemporaryFolder scratch;
  std::unique_ptr<state::Reader> reader;
  std::vector<std::uint16_t> held;  ///< shards that are in it
  bool shared = false;              ///< with several workers, each has some shards
};

/// Folder of the state: `given`, or the topology's own.
std::string state_folder_of(const runtime::Topology& topology, const std::string& given);

/// kInvalid if it is another topology's, kUnavailable while it is being restored.
runtime::Status open_state(const runtime::Topology& topology, const std::string& folder,
                           OpenState& state);

}  // namespace huiliu::service
