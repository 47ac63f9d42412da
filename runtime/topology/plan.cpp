#include "runtime/topology/plan.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace huiliu::runtime {

bool Plan::needs_key(const Node& node) {
  return node.kind == ComponentKind::kOperator &&
         (node.descriptor->keyed || node.descriptor->stateful);
}

void Plan::keep_shards(const std::vector<std::uint16_t>& shards) {
  owners.assign(topology->shards, kElsewhere);
  unsigned next = 0;
  for (const std::uint16_t shard : shards) owners[shard] = next++ % parallelism;
}

namespace {

std::size_t widest_row(const Topology& topology) {
  std::size_t widest = 0;
  for (const Node& node : topology.nodes) {
    for (const OutputStream& output : node.outputs) {
      widest = std::max(widest, output.schema.width());
    }
  }
  return widest + kRejectFieldCount;
}

std::size_t stage_of(const Plan& plan, const Node& node) {
  std::size_t stage = 0;
  for (const StreamRef& input : node.inputs) {
    const std::size_t from = plan.stage[input.node];
    const bool exchange = plan.parallelism > 1 && Plan::needs_key(node);
    stage = std::max(stage, from + (exchange ? 1 : 0));
  }
  return stage;
}

// Sinks encode on the thread and stage where their input is made.
EdgeKind edge_kind(const Plan& plan, const Node& to, std::size_t to_index, std::size_t stage) {
  if (to.kind == ComponentKind::kSink) return EdgeKind::kFused;
  if (Plan::needs_key(to)) return plan.parallelism > 1 ? EdgeKind::kKeyed : EdgeKind::kFused;
  return plan.stage[to_index] == stage ? EdgeKind::kFused : EdgeKind::kForward;
}

/// Edges into the node come before those out of it.
void add_edges(Plan& plan, std::size_t to, std::size_t input) {
  const Node& node = plan.topology->nodes[to];
  const StreamRef from = node.inputs[input];
  if (plan.topology->nodes[from.node].kind != ComponentKind::kSink) {
    const std::size_t stage = plan.stage[from.node];
    plan.edges.push_back({from, to, input, edge_kind(plan, node, to, stage), stage});
    return;
  }
  const std::size_t known = plan.edges.size();
  for (std::size_t tap = 0; tap < known; ++tap) {
    if (plan.edges[tap].to != from.node) continue;
    const std::size_t stage = plan.edges[tap].stage;
    plan.edges.push_back({from, to, input, edge_kind(plan, node, to, stage), stage, tap});
  }
}

}  // namespace

Plan make_plan(const Topology& topology, unsigned parallelism) {
  Plan plan;
  plan.topology = &topology;
  plan.parallelism = parallelism;
  plan.row_slots = widest_row(topology);
  for (unsigned shard = 0; shard < topology.shards; ++shard) {
    plan.owners.push_back(shard % parallelism);
  }
  for (const Node& node : topology.nodes) {
    plan.stage.push_back(stage_of(plan, node));
    if (node.kind != ComponentKind::kSink) {
      plan.stages = std::max(plan.stages, plan.stage.back() + 1);
    }
  }
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      add_edges(plan, n, i);
    }
  }
  return plan;
}

std::vector<std::vector<std::size_t>> stateful_before(const Topology& topology) {
  std::vector<std::vector<std::size_t>> before;
  for (const Node& node : topology.nodes) {
    std::set<std::size_t> found;
    for (const StreamRef& input : node.inputs) {
      found.insert(before[input.node].begin(), before[input.node].end());
      if (Plan::needs_key(topology.nodes[input.node])) found.insert(input.node);
    }
    before.emplace_back(found.begin(), found.end());
  }
  return before;
}

namespace {

PathGuarantee path_guarantee(const Node& source, const Node& sink) {
  PathGuarantee path{source.name, sink.name, "at-least-once", ""};
  const ConnectorTraits& from = source.descriptor->traits;
  const ConnectorTraits& to = sink.descriptor->traits;
  if (!from.replayable) {
    path.reason = fmt::format("{} cannot be read again: {}", source.type_name, from.reason);
  } else if (to.transactional) {
    path.guarantee = "exactly-once";
    path.reason = fmt::format("{}; {}", from.reason, to.reason);
  } else if (to.idempotent) {
    path.guarantee = "effectively-once";
    path.reason = fmt::format("{}; {}", from.reason, to.reason);
  } else {
    path.reason = fmt::format("{} may repeat after a crash: {}", sink.type_name, to.reason);
  }
  return path;
}

}  // namespace

std::vector<PathGuarantee> guarantees(const Topology& topology) {
  std::vector<PathGuarantee> paths;
  const std::vector<std::vector<std::size_t>> reaching = sources_reaching(topology);
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    if (topology.nodes[n].kind != ComponentKind::kSink) continue;
    for (const std::size_t source : reaching[n]) {
      paths.push_back(path_guarantee(topology.nodes[source], topology.nodes[n]));
    }
  }
  return paths;
}

}  // namespace huiliu::runtime
