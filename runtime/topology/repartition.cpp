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
    for (const Node& node : from_.nodes) {
      check_node(node, diagnostics_);
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

  Node made(const Node& to, std::size_t input, const std::string& name, ComponentKind kind,
            const Descriptor& descriptor) {
    Node node;
    node.name = name;
    node.kind = kind;
    node.place = to.place;
    node.type_name = descriptor.name;
    node.descriptor = &descriptor;
    node.internal = true;
    std::vector<Config> key;
    for (const std::string& field : to.operator_declaration->key_of(input)) {
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
    Node sink = made(to, input, name, ComponentKind::kSink, type.descriptor);
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
    Node source = made(to, input, name, ComponentKind::kSource, type.descriptor);
    source.source = &type;
    const OutputStream& read = done_[from.node].outputs[from.port];
    source.outputs = {{"", read.schema, read.changes}};
    source.source_declaration = std::make_shared<SourceDeclaration>(
        *source.config, std::vector<const Schema*>{}, diagnostics_);
    source.source_declaration->backend = from_.backend_config.get();
    source.source_declaration->output = source.outputs.front().schema;
    source.source_declaration->event_time.field = is_timed(from.node) ? 0 : -1;
    done_.push_back(std::move(source));
  }

  /// Whether records with an event time can come from the node, one of `done_`.
  bool is_timed(std::size_t node) const {
    const Node& from = done_[node];
    if (from.kind == ComponentKind::kSource) return from.source_declaration->event_time.field >= 0;
    return std::any_of(from.inputs.begin(), from.inputs.end(),
                       [this](const StreamRef& input) { return is_timed(input.node); });
  }

  Topology from_;
  Diagnostics& diagnostics_;
  std::vector<std::size_t> place_;  // old index → new index
  std::vector<Node> done_;
};

}  // namespace

Topology split_for_workers(Topology topology, Diagnostics& diagnostics) {
  return Splitter(std::move(topology), diagnostics).run();
}

}  // namespace huiliu::runtime
