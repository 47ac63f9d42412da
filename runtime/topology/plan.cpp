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

void collect_sources(const Topology& topology, std::size_t node, std::set<std::size_t>& seen,
                     std::set<std::size_t>& sources) {
  if (!seen.insert(node).second) return;
  if (topology.nodes[node].kind == ComponentKind::kSource) sources.insert(node);
  for (const StreamRef& input : topology.nodes[node].inputs) {
    collect_sources(topology, input.node, seen, sources);
  }
}

std::string key_text(const Node& node) {
  if (!node.operator_declaration) return "";
  return fmt::format("{}", fmt::join(node.operator_declaration->key_fields, ", "));
}

std::string edge_label(const Plan& plan, const Edge& edge) {
  const Node& to = plan.topology->nodes[edge.to];
  switch (edge.kind) {
    case EdgeKind::kFused:
      return Plan::needs_key(to) ? fmt::format("fused, keyed by ({})", key_text(to)) : "fused";
    case EdgeKind::kKeyed:
      return fmt::format("exchange by ({})", key_text(to));
    case EdgeKind::kForward:
      return "hand-over on the same thread";
  }
  return "";
}

std::string json_escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

/// What a reader wants to see once, though each place where a sink encodes has an edge of its own.
std::vector<const Edge*> distinct_edges(const Plan& plan) {
  std::vector<const Edge*> edges;
  for (const Edge& edge : plan.edges) {
    const bool known = std::any_of(edges.begin(), edges.end(), [&](const Edge* other) {
      return other->from == edge.from && other->to == edge.to && other->input == edge.input &&
             other->kind == edge.kind;
    });
    if (!known) edges.push_back(&edge);
  }
  return edges;
}

}  // namespace

std::vector<PathGuarantee> guarantees(const Topology& topology) {
  std::vector<PathGuarantee> paths;
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    if (topology.nodes[n].kind != ComponentKind::kSink) continue;
    std::set<std::size_t> seen, sources;
    collect_sources(topology, n, seen, sources);
    for (std::size_t source : sources) {
      paths.push_back(path_guarantee(topology.nodes[source], topology.nodes[n]));
    }
  }
  return paths;
}

std::string plan_text(const Plan& plan) {
  const Topology& topology = *plan.topology;
  std::string out =
      fmt::format("topology {} (version {}), {} thread(s), {} shards, epoch {} ms\n", topology.id,
                  topology.version, plan.parallelism, topology.shards, topology.epoch_ms);
  for (std::size_t stage = 0; stage < plan.stages; ++stage) {
    out += fmt::format("\nlevel {}: fused chains\n", stage);
    for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
      const Node& node = topology.nodes[n];
      if (plan.stage[n] != stage) continue;
      out += fmt::format("  {:<8} {} ({})", kind_name(node.kind), node.name, node.type_name);
      if (Plan::needs_key(node)) out += fmt::format(", key ({})", key_text(node));
      out += "\n";
      for (const Edge* edge : distinct_edges(plan)) {
        if (edge->to != n) continue;
        out += fmt::format("           <- {} [{}]\n",
                           topology.nodes[edge->from.node].stream_name(edge->from.port),
                           edge_label(plan, *edge));
      }
      if (node.kind == ComponentKind::kSink && node.rejects &&
          !topology.is_read({n, node.reject_port()})) {
        out += "           its rejects are counted and logged: nobody reads them\n";
      }
    }
  }
  out += "\nguarantees\n";
  for (const PathGuarantee& path : guarantees(topology)) {
    out +=
        fmt::format("  {} -> {}: {} ({})\n", path.source, path.sink, path.guarantee, path.reason);
  }
  return out;
}

std::string plan_mermaid(const Plan& plan) {
  const Topology& topology = *plan.topology;
  std::string out = "flowchart LR\n";
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    const char* open = node.kind == ComponentKind::kSource ? "([" : "[";
    const char* close = node.kind == ComponentKind::kSource ? "])" : "]";
    if (node.kind == ComponentKind::kSink) open = "[(", close = ")]";
    out += fmt::format("  n{}{}\"{}<br/>{}\"{}\n", n, open, node.name, node.type_name, close);
  }
  for (const Edge* shown : distinct_edges(plan)) {
    const Edge& edge = *shown;
    const Node& from = topology.nodes[edge.from.node];
    std::string label = from.outputs[edge.from.port].name;
    if (edge.kind == EdgeKind::kKeyed) {
      label += fmt::format("{}by {}", label.empty() ? "" : ", ", key_text(topology.nodes[edge.to]));
    }
    const char* arrow = edge.kind == EdgeKind::kFused ? "-->" : "==>";
    out += label.empty()
               ? fmt::format("  n{} {} n{}\n", edge.from.node, arrow, edge.to)
               : fmt::format("  n{} {}|\"{}\"| n{}\n", edge.from.node, arrow, label, edge.to);
  }
  return out;
}

std::string plan_json(const Plan& plan) {
  const Topology& topology = *plan.topology;
  std::string out = fmt::format(
      "{{\"topology\":\"{}\",\"version\":\"{}\",\"parallelism\":{},\"shards\":{},\"epoch_ms\":{},"
      "\"stages\":{},\"nodes\":[",
      json_escape(topology.id), json_escape(topology.version), plan.parallelism, topology.shards,
      topology.epoch_ms, plan.stages);
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    out += fmt::format(
        "{}{{\"name\":\"{}\",\"kind\":\"{}\",\"type\":\"{}\",\"stage\":{},\"key\":\"{}\"}}",
        n ? "," : "", json_escape(node.name), kind_name(node.kind), json_escape(node.type_name),
        plan.stage[n], json_escape(key_text(node)));
  }
  out += "],\"edges\":[";
  const std::vector<const Edge*> edges = distinct_edges(plan);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const Edge& edge = *edges[e];
    const char* kind = edge.kind == EdgeKind::kFused   ? "fused"
                       : edge.kind == EdgeKind::kKeyed ? "keyed"
                                                       : "forward";
    out += fmt::format("{}{{\"from\":\"{}\",\"to\":\"{}\",\"kind\":\"{}\"}}", e ? "," : "",
                       json_escape(topology.nodes[edge.from.node].stream_name(edge.from.port)),
                       json_escape(topology.nodes[edge.to].name), kind);
  }
  out += "],\"guarantees\":[";
  bool first = true;
  for (const PathGuarantee& path : guarantees(topology)) {
    out += fmt::format(
        "{}{{\"source\":\"{}\",\"sink\":\"{}\",\"guarantee\":\"{}\",\"reason\":\"{}\"}}",
        first ? "" : ",", json_escape(path.source), json_escape(path.sink), path.guarantee,
        json_escape(path.reason));
    first = false;
  }
  return out + "]}\n";
}

}  // namespace huiliu::runtime
