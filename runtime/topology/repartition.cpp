#include "runtime/topology/repartition.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/topology/plan.h"

namespace huiliu::runtime {

bool shares_work(const Topology& topology) {
  return topology.backend != nullptr && topology.backend->shares_work && topology.backend_config &&
         topology.backend->shares_work(*topology.backend_config);
}

std::string repartition_name(const Node& to, std::size_t input) {
  return to.inputs.size() == 1 ? fmt::format("{}.repartition", to.name)
                               : fmt::format("{}.{}.repartition", to.name, input);
}

namespace {

void check_node(const Node& node, Diagnostics& diagnostics) {
  const bool end = node.kind == ComponentKind::kSource || node.kind == ComponentKind::kSink;
  if (end && node.config->string_or("until", "") == "end") {
    diagnostics.error(
        (*node.config)["until"].place(),
        fmt::format("'{}' ends, but several workers go on until they are stopped", node.name),
        "leave `until` out, or use `workers: one` in `backend:`");
  }
  if (!end || node.descriptor->traits.shareable) return;
  diagnostics.error(node.place,
                    fmt::format("{} '{}' of type {} cannot be shared by several workers",
                                kind_name(node.kind), node.name, node.type_name),
                    "use topics, or `workers: one` in `backend:`");
}

/// A window waits for the time of all topics between nodes. One that leads on from the window
/// itself gets none before the window ends, so the window would never end.
void check_windows(const Topology& topology, Diagnostics& diagnostics) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& window = topology.nodes[n];
    if (!window.descriptor->needs_event_time) continue;
    std::vector<bool> behind(topology.nodes.size());
    behind[n] = true;
    for (std::size_t m = n + 1; m < topology.nodes.size(); ++m) {
      const Node& node = topology.nodes[m];
      behind[m] = std::any_of(node.inputs.begin(), node.inputs.end(),
                              [&](const StreamRef& input) { return behind[input.node]; });
      if (!behind[m] || !Plan::needs_key(node)) continue;
      diagnostics.error(
          node.place,
          fmt::format("'{}' has a key and stands behind '{}', which would never end a window when "
                      "several workers share the topology",
                      node.name, window.name),
          "use `workers: one` in `backend:`, or a second topology that reads what the window "
          "gives");
      break;
    }
  }
}

/// What the time of records behind the topic follows: all sources of the topology.
struct TimeOfTopics {
  bool used = false;
  std::int64_t out_of_orderness_ms = 0;
};

class Splitter {
 public:
  Splitter(Topology topology, Diagnostics& diagnostics)
      : from_(std::move(topology)), diagnostics_(diagnostics) {}

  Topology run() {
    if (from_.backend == nullptr || from_.backend->repartition.sink == nullptr) {
      diagnostics_.error({from_.path, 0, 0}, "several workers cannot share this topology's backend",
                         "use `backend: {type: kafka, workers: several, ...}`");
      return std::move(from_);
    }
    check_windows(from_, diagnostics_);
    for (const Node& node : from_.nodes) {
      check_node(node, diagnostics_);
      if (node.kind != ComponentKind::kSource) continue;
      SourceDeclaration& source = *node.source_declaration;
      if (source.event_time.field < 0) continue;
      time_.used = true;
      time_.out_of_orderness_ms =
          std::max(time_.out_of_orderness_ms, source.event_time.out_of_orderness_ms);
      // Every operator that waits for time is behind a topic, whose source holds it.
      source.holds_watermark = false;
    }
    std::vector<Node> nodes = std::exchange(from_.nodes, {});
    for (Node& node : nodes) {
      for (StreamRef& input : node.inputs) input.node = place_[input.node];
      if (Plan::needs_key(node)) lead_through_topics(node);
      place_.push_back(done_.size());
      done_.push_back(std::move(node));
    }
    from_.nodes = std::move(done_);
    return std::move(from_);
  }

 private:
  void lead_through_topics(Node& node) {
    std::vector<StreamRef> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string name = repartition_name(node, i);
      add_sink(node, i, name);
      add_source(node, i, name);
      inputs.push_back({done_.size() - 1, 0});
    }
    node.inputs = std::move(inputs);
  }

  Node made(const Node& to, const std::string& name, ComponentKind kind,
            const Descriptor& descriptor) {
    Node node;
    node.name = name;
    node.kind = kind;
    node.place = to.place;
    node.type_name = descriptor.name;
    node.descriptor = &descriptor;
    node.internal = true;
    std::vector<Config> key;
    for (const std::string& field : to.operator_declaration->key_fields) {
      key.push_back(Config::scalar(field));
    }
    node.config = std::make_shared<Config>(
        Config::map({{"topic", Config::scalar(fmt::format("{}.{}", from_.id, name))},
                     {"key", Config::list(std::move(key))},
                     {"shards", Config::scalar(std::to_string(from_.shards))}}));
    return node;
  }

  void add_sink(const Node& to, std::size_t input, const std::string& name) {
    const SinkType& type = *from_.backend->repartition.sink;
    Node sink = made(to, name, ComponentKind::kSink, type.descriptor);
    sink.sink = &type;
    sink.inputs = {to.inputs[input]};
    const StreamRef from = to.inputs[input];
    sink.sink_declaration = std::make_shared<SinkDeclaration>(
        *sink.config, std::vector<const Schema*>{&done_[from.node].outputs[from.port].schema},
        diagnostics_);
    sink.sink_declaration->backend = from_.backend_config.get();
    done_.push_back(std::move(sink));
  }

  void add_source(const Node& to, std::size_t input, const std::string& name) {
    const SourceType& type = *from_.backend->repartition.source;
    const StreamRef from = to.inputs[input];
    Node source = made(to, name, ComponentKind::kSource, type.descriptor);
    source.source = &type;
    source.outputs = {{"", done_[from.node].outputs[from.port].schema}};
    source.source_declaration = std::make_shared<SourceDeclaration>(
        *source.config, std::vector<const Schema*>{}, diagnostics_);
    source.source_declaration->backend = from_.backend_config.get();
    source.source_declaration->output = source.outputs.front().schema;
    source.source_declaration->event_time.field = time_.used ? 0 : -1;
    source.source_declaration->event_time.out_of_orderness_ms = time_.out_of_orderness_ms;
    done_.push_back(std::move(source));
  }

  Topology from_;
  Diagnostics& diagnostics_;
  TimeOfTopics time_;
  std::vector<std::size_t> place_;  // old index → new index
  std::vector<Node> done_;
};

}  // namespace

Topology split_for_workers(Topology topology, Diagnostics& diagnostics) {
  return Splitter(std::move(topology), diagnostics).run();
}

}  // namespace huiliu::runtime
