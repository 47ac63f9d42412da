#pragma once

#include <deque>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::runtime {

inline constexpr std::string_view kRejects = "rejects";
inline constexpr unsigned kMostThreads = 256;

/// An input as it is written: "node" or "node.port".
struct InputDraft {
  std::string node, port;
  Place place;
};

/// A node as it is written, on its way into a topology.
struct NodeDraft {
  Node node;
  std::vector<InputDraft> inputs;
  std::vector<NodeDraft*> upstream;  ///< per input, once resolved
  std::size_t index = 0;             ///< in the topology
  /// Of a source that gives the receipts of a sink: the sink, which is declared before it.
  NodeDraft* receipts_of = nullptr;
  bool receipts_read = false;  ///< of a sink
  int mark = 0;                ///< depth-first search: 1 = on the way, 2 = done

  bool may_refuse() const { return node.descriptor != nullptr && node.descriptor->rejects; }
};

/// What the steps from a config to a topology share. Each step reports all that it finds wrong.
struct TopologyDraft {
  Topology& topology;
  const Registry& registry;
  Diagnostics& diagnostics;
  bool all_read = true;   ///< nothing of the config could not be read
  bool all_types = true;  ///< no library is missing
  std::deque<NodeDraft> nodes = {};
  std::vector<NodeDraft*> order = {};  ///< inputs first
  bool failed = false;                 ///< later steps would report what only follows from this
};

/// What the steps have in common.
class DraftStep {
 protected:
  explicit DraftStep(TopologyDraft& draft)
      : draft_(draft),
        topology_(draft.topology),
        registry_(draft.registry),
        diagnostics_(draft.diagnostics),
        drafts_(draft.nodes),
        order_(draft.order),
        failed_(draft.failed) {}
  ~DraftStep() = default;

  void fail(const Place& place, std::string message, std::string hint = "") {
    diagnostics_.error(place, std::move(message), std::move(hint));
    failed_ = true;
  }

  TopologyDraft& draft_;
  Topology& topology_;
  const Registry& registry_;
  Diagnostics& diagnostics_;
  std::deque<NodeDraft>& drafts_;
  std::vector<NodeDraft*>& order_;
  bool& failed_;
};

}  // namespace huiliu::runtime
