#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/component/operator.h"
#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// Key of a node or a table in the layout.
std::string layout_key(std::string_view name);
StateLayout state_layout(const Topology& topology);
StateNeeds state_needs(const Topology& topology);
/// Ok if the topology reads a state of that layout rightly; else kInvalid, which names the node,
/// both layouts and the remedy. Nodes that only one of the two has are nobody's mistake.
Status check_layout(const Topology& topology, const StateLayout& of_state);

/// check_layout(), and what of the topology's layout the state does not have yet.
Result<StateLayout> layout_to_save(const Topology& topology, const StateLayout& of_state);

/// What a topology does with tables of another layout: for `huiliu run --from`, where check_layout
/// refuses them.
struct LayoutAdoption {
  std::string table;  ///< NODE.TABLE
  Adoption adoption;
};
/// Takes tables that can be adopted out of `of_state` (their layouts become the topology's) and
/// returns them.
std::vector<LayoutAdoption> adopt_layouts(const Topology& topology, StateLayout& of_state);

/// The table's node and declaration, or nulls: "NODE.TABLE" as the state calls it.
std::pair<const Node*, const TableDeclaration*> find_table(const Topology& topology,
                                                           std::string_view full_name);

}  // namespace huiliu::runtime
