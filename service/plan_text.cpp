#include "service/plan_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace huiliu::service {

using runtime::ComponentKind;
using runtime::Edge;
using runtime::EdgeKind;
using runtime::Node;
using runtime::PathGuarantee;
using runtime::Plan;
using runtime::Topology;

namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

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

/// The sources that a node takes its event time from.
std::vector<std::string> time_sources(const Plan& plan, std::size_t node) {
  std::vector<std::string> names;
  const std::vector<std::vector<std::size_t>> reaching = sources_reaching(*plan.topology);
  for (const std::size_t source : reaching[node]) {
    const Node& from = plan.topology->nodes[source];
    if (from.source_declaration->event_time.field >= 0) names.push_back(from.name);
  }
  return names;
}

/// Where event time comes from, and who waits for it; "" for other nodes.
std::string time_text(const Plan& plan, std::size_t n) {
  const Node& node = plan.topology->nodes[n];
  if (node.kind == ComponentKind::kSource) {
    const runtime::EventTime& time = node.source_declaration->event_time;
    if (time.field < 0) return "";
    if (node.internal) return "           time: as the writers of the topic say, shard by shard\n";
    return fmt::format(
        "           time: {}, up to {} ms out of order, waited for up to {} ms of silence\n",
        node.outputs.front().schema[static_cast<std::size_t>(time.field)].name,
        time.out_of_orderness_ms, time.idle_ms);
  }
  if (!node.descriptor->needs_event_time) return "";
  return fmt::format("           waits for the time of {}, the one furthest behind\n",
                     fmt::join(time_sources(plan, n), ", "));
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

void put(Writer& out, const char* key, std::string_view text) {
  out.Key(key);
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void put(Writer& out, const char* key, std::uint64_t number) {
  out.Key(key);
  out.Uint64(number);
}

const char* name_of(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::kFused:
      return "fused";
    case EdgeKind::kKeyed:
      return "keyed";
    case EdgeKind::kForward:
      return "forward";
  }
  return "";
}

void put_nodes(Writer& out, const Plan& plan) {
  out.Key("nodes");
  out.StartArray();
  for (std::size_t n = 0; n < plan.topology->nodes.size(); ++n) {
    const Node& node = plan.topology->nodes[n];
    out.StartObject();
    put(out, "name", node.name);
    put(out, "kind", kind_name(node.kind));
    put(out, "type", node.type_name);
    put(out, "stage", plan.stage[n]);
    put(out, "key", key_text(node));
    out.Key("time_from");
    out.StartArray();
    for (const std::string& source : time_sources(plan, n)) out.String(source.c_str());
    out.EndArray();
    out.EndObject();
  }
  out.EndArray();
}

void put_edges(Writer& out, const Plan& plan) {
  const Topology& topology = *plan.topology;
  out.Key("edges");
  out.StartArray();
  for (const Edge* edge : distinct_edges(plan)) {
    out.StartObject();
    put(out, "from", topology.nodes[edge->from.node].stream_name(edge->from.port));
    put(out, "to", topology.nodes[edge->to].name);
    put(out, "kind", name_of(edge->kind));
    out.EndObject();
  }
  out.EndArray();
}

void put_guarantees(Writer& out, const Topology& topology) {
  out.Key("guarantees");
  out.StartArray();
  for (const PathGuarantee& path : guarantees(topology)) {
    out.StartObject();
    put(out, "source", path.source);
    put(out, "sink", path.sink);
    put(out, "guarantee", path.guarantee);
    put(out, "reason", path.reason);
    out.EndObject();
  }
  out.EndArray();
}

std::string node_text(const Plan& plan, std::size_t n) {
  const Topology& topology = *plan.topology;
  const Node& node = topology.nodes[n];
  std::string out = fmt::format("  {:<8} {} ({})", kind_name(node.kind), node.name, node.type_name);
  if (Plan::needs_key(node)) out += fmt::format(", key ({})", key_text(node));
  out += "\n";
  for (const Edge* edge : distinct_edges(plan)) {
    if (edge->to != n) continue;
    out += fmt::format("           <- {} [{}]\n",
                       topology.nodes[edge->from.node].stream_name(edge->from.port),
                       edge_label(plan, *edge));
  }
  out += time_text(plan, n);
  if (node.kind == ComponentKind::kSink && node.rejects &&
      !topology.is_read({n, node.reject_port()})) {
    out += "           its rejects are counted and logged: nobody reads them\n";
  }
  return out;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  const Topology& topology = *plan.topology;
  std::string out =
      fmt::format("topology {} (version {}), {} thread(s), {} shards, epoch {} ms\n", topology.id,
                  topology.version, plan.parallelism, topology.shards, topology.epoch_ms);
  for (std::size_t stage = 0; stage < plan.stages; ++stage) {
    out += fmt::format("\nstage {}: fused chains\n", stage);
    for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
      if (plan.stage[n] == stage) out += node_text(plan, n);
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
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  put(out, "topology", topology.id);
  put(out, "version", topology.version);
  put(out, "parallelism", plan.parallelism);
  put(out, "shards", topology.shards);
  put(out, "epoch_ms", static_cast<std::uint64_t>(topology.epoch_ms));
  put(out, "stages", plan.stages);
  put_nodes(out, plan);
  put_edges(out, plan);
  put_guarantees(out, topology);
  out.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace huiliu::service
