#include "runtime/topology/state_layout.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/topology/memory_shares.h"
#include "runtime/topology/plan.h"
#include "runtime/topology/repartition.h"

namespace huiliu::runtime {
namespace {

constexpr std::string_view kWithState = " with state";

std::string table_layout(const Node& node, const TableDeclaration& table) {
  const Declaration& declaration = *node.operator_declaration;
  std::vector<std::string> fields;
  for (const std::string& name : declaration.key_fields) {
    const auto index = declaration.input().index_of(name);
    fields.push_back(
        fmt::format("{} {}", name, index ? type_name(declaration.input()[*index].type) : "?"));
  }
  return fmt::format("{} key=({}) {}", node.type_name, fmt::join(fields, ", "), table.layout);
}

std::string node_layout(const Node& node) {
  std::string layout = fmt::format("{} {}", kind_name(node.kind), node.type_name);
  if (node.kind == ComponentKind::kOperator && !node.operator_declaration->tables.empty()) {
    layout += kWithState;
  }
  if (node.kind == ComponentKind::kSink && !node.sink_declaration->layout.empty()) {
    layout += " " + node.sink_declaration->layout;
  }
  return layout;
}

/// Whether a state with the layout `known` is read rightly by a topology with the layout `now`.
bool fits(const Topology& topology, const std::string& key, const std::string& known,
          const std::string& now) {
  if (known == now) return true;
  const std::string name = key.substr(kLayoutPrefix.size());
  if (const auto [node, table] = find_table(topology, name); table != nullptr) {
    // What the table itself says of its content stands behind type and key.
    const std::string head = now.substr(0, now.size() - table->layout.size());
    return known.starts_with(head) && table->accepts &&
           table->accepts(std::string_view(known).substr(head.size()));
  }
  // A version that did not say what sinks write.
  if (now.starts_with(known + " ")) return true;
  const Node* node = topology.find(name);
  return node != nullptr && node->kind == ComponentKind::kOperator &&
         !known.ends_with(kWithState) && !now.ends_with(kWithState);
}

std::string remedy_of(const Topology& topology, const std::string& key) {
  const auto* table = find_table(topology, key.substr(kLayoutPrefix.size())).second;
  return table == nullptr || table->remedy.empty() ? "" : ". " + table->remedy;
}

}  // namespace

std::string layout_key(std::string_view name) { return std::string(kLayoutPrefix).append(name); }

StateLayout state_layout(const Topology& topology) {
  StateLayout layout;
  for (const Node& node : topology.nodes) {
    if (node.internal) continue;
    const std::string key = layout_key(node.name);
    layout.emplace_back(key, node_layout(node));
    if (node.kind != ComponentKind::kOperator) continue;
    for (const TableDeclaration& table : node.operator_declaration->tables) {
      layout.emplace_back(key + "." + table.name, table_layout(node, table));
    }
  }
  return layout;
}

namespace {

/// Of a topology that is split for several workers, or that will be.
std::vector<RepartitionNeed> repartitions_of(const Topology& topology) {
  std::vector<RepartitionNeed> needs, later;
  for (const Node& node : topology.nodes) {
    if (node.internal && node.kind == ComponentKind::kSource) {
      needs.push_back({(*node.config)["topic"].text(), node.name, node.place});
    }
    if (node.kind != ComponentKind::kOperator || !Plan::needs_key(node)) continue;
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      later.push_back({topology.id + "." + repartition_name(node, input), node.name, node.place});
    }
  }
  return needs.empty() ? later : needs;
}

}  // namespace

StateNeeds state_needs(const Topology& topology) {
  StateNeeds needs{.topology_id = topology.id,
                   .folder = topology.folder,
                   .backend_config = topology.backend_config.get(),
                   .epoch_ms = topology.epoch_ms,
                   .shards = topology.shards,
                   .memory_bytes = memory_shares(topology).tables,
                   .layout = state_layout(topology),
                   .tables = {},
                   .outboxes = {},
                   .shares_work = false,
                   .repartitions = {},
                   .endpoints = {}};
  for (const Node& node : topology.nodes) {
    if (node.kind == ComponentKind::kOperator) {
      for (const TableDeclaration& table : node.operator_declaration->tables) {
        needs.tables.push_back({node.name + "." + table.name, &table, node.place});
      }
    }
    if (node.kind == ComponentKind::kSink && node.sink->create_outbox_sink) {
      needs.outboxes.push_back({node.name, node.place});
    }
    if (node.kind != ComponentKind::kOperator && !node.internal) {
      needs.endpoints.push_back({node.kind, node.type_name, node.config.get()});
    }
  }
  needs.shares_work = shares_work(topology);
  if (needs.shares_work) needs.repartitions = repartitions_of(topology);
  return needs;
}

Status check_layout(const Topology& topology, const StateLayout& of_state) {
  const std::map<std::string, std::string> known(of_state.begin(), of_state.end());
  for (const auto& [key, layout] : state_layout(topology)) {
    const auto found = known.find(key);
    if (found == known.end() || fits(topology, key, found->second, layout)) continue;
    return Status::invalid(fmt::format(
        "the state of '{}' was made as \"{}\", the topology says \"{}\" now: it cannot be read so. "
        "Give the node another name, and it starts empty; go back to what it was; or see whether "
        "`huiliu run --from` can take a snapshot of it over{}",
        key.substr(kLayoutPrefix.size()), found->second, layout, remedy_of(topology, key)));
  }
  return Status::ok();
}

Result<StateLayout> layout_to_save(const Topology& topology, const StateLayout& of_state) {
  if (Status status = check_layout(topology, of_state); !status.is_ok()) return status;
  StateLayout fresh = state_layout(topology);
  std::erase_if(fresh, [&](const auto& one) {
    return std::find(of_state.begin(), of_state.end(), one) != of_state.end();
  });
  return fresh;
}

std::vector<LayoutAdoption> adopt_layouts(const Topology& topology, StateLayout& of_state) {
  std::vector<LayoutAdoption> adoptions;
  const StateLayout of_topology = state_layout(topology);
  const std::map<std::string, std::string> wanted(of_topology.begin(), of_topology.end());
  for (auto& [key, layout] : of_state) {
    const auto found = wanted.find(key);
    if (found == wanted.end() || found->second == layout) continue;
    const std::string name = key.substr(kLayoutPrefix.size());
    const auto [node, table] = find_table(topology, name);
    if (table == nullptr || !table->adopt) continue;
    auto adoption = table->adopt(layout);
    if (!adoption) continue;
    adoptions.push_back({name, std::move(*adoption)});
    layout = found->second;
  }
  return adoptions;
}

std::pair<const Node*, const TableDeclaration*> find_table(const Topology& topology,
                                                           std::string_view full_name) {
  for (const Node& node : topology.nodes) {
    if (node.kind != ComponentKind::kOperator) continue;
    for (const TableDeclaration& table : node.operator_declaration->tables) {
      if (full_name == node.name + "." + table.name) return {&node, &table};
    }
  }
  return {nullptr, nullptr};
}

}  // namespace huiliu::runtime
