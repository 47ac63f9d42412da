#include "runtime/topology/schema_declaration.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/component/sink_rejects.h"

namespace huiliu::runtime {
namespace {

const std::string kOutbox = outbox_option().name;

class Declarer final : DraftStep {
 public:
  explicit Declarer(TopologyDraft& draft) : DraftStep(draft) {}

  void declare(NodeDraft& draft) {
    if (failed_) return;
    Node& node = draft.node;
    std::vector<const Schema*> schemas;
    for (std::size_t i = 0; i < draft.inputs.size(); ++i) {
      const InputDraft& input = draft.inputs[i];
      const Node& from = topology_.nodes[draft.upstream[i]->index];
      std::vector<std::string> ports;
      std::size_t port = from.outputs.size();
      for (std::size_t p = 0; p < from.outputs.size(); ++p) {
        ports.push_back(from.outputs[p].name);
        if (from.outputs[p].name == input.port) port = p;
      }
      if (port == from.outputs.size()) {
        fail(input.place, fmt::format("'{}' has no output '{}'", input.node, input.port),
             nearest_hint(input.port, ports));
        return;
      }
      node.inputs.push_back({draft.upstream[i]->index, port});
      schemas.push_back(&from.outputs[port].schema);
    }
    const std::size_t errors = diagnostics_.errors();
    declare_node(draft, schemas);
    // What is wrong with a sink changes no stream: the others are looked at all the same.
    const bool wrong = diagnostics_.errors() != errors;
    failed_ = failed_ || (wrong && (node.kind != ComponentKind::kSink || draft.receipts_read));
    topology_.nodes.push_back(std::move(node));
  }

  void declare_node(NodeDraft& draft, const std::vector<const Schema*>& schemas) {
    Node& node = draft.node;
    // Declarations keep pointers to schemas, so those must not move: copies are owned here.
    std::vector<const Schema*> owned;
    for (const Schema* schema : schemas) {
      owned.push_back(schemas_.emplace_back(std::make_shared<Schema>(*schema)).get());
    }
    const auto keep = std::make_shared<std::vector<std::shared_ptr<Schema>>>(schemas_);
    Diagnostics& sink = *topology_.diagnostics;
    const std::size_t before = sink.all().size();
    if (node.kind == ComponentKind::kSource) {
      node.source_declaration = hold<SourceDeclaration>(keep, *node.config, owned, sink);
      node.source_declaration->receipt_row = receipt_row(draft);
      node.source->declare(*node.source_declaration);
      take_outputs(node, *node.source_declaration);
    } else if (node.kind == ComponentKind::kOperator) {
      node.operator_declaration = hold<Declaration>(keep, *node.config, owned, sink);
      const bool fits = check_inputs(node, owned);
      if (!fits) return copy_new(before);
      node.op->declare(*node.operator_declaration);
      take_outputs(node, *node.operator_declaration);
    } else {
      node.sink_declaration = hold<SinkDeclaration>(keep, *node.config, owned, sink);
      node.sink_declaration->receipts_read = draft.receipts_read;
      if (node.config->has(kOutbox) && node.sink->create_outbox_sink) {
        node.sink_declaration->outbox_bytes = (*node.config)[kOutbox].as_size();
      }
      for (const Node& other : topology_.nodes) {
        if (other.kind != ComponentKind::kSource) continue;
        node.sink_declaration->sources[other.name] = other.source_declaration.get();
      }
      if (owned.empty()) {
        diagnostics_.error(node.place, fmt::format("'{}' needs an input", node.name));
      } else {
        node.sink->declare(*node.sink_declaration);
      }
    }
    if (node.descriptor->rejects) add_reject_output(node, owned);
    copy_new(before);
  }

  /// Null unless the source gives receipts of a sink that could be declared.
  std::shared_ptr<const Schema> receipt_row(const NodeDraft& draft) const {
    if (draft.receipts_of == nullptr) return nullptr;
    const Node& sink = topology_.nodes[draft.receipts_of->index];
    return std::make_shared<Schema>(sink.sink->receipt_row(*sink.sink_declaration));
  }

  void take_outputs(Node& node, const Declaration& declared) const {
    node.outputs.push_back({"", declared.output});
    for (const auto& [name, schema] : declared.side_outputs) node.outputs.push_back({name, schema});
    const bool passed_on = passes_changes_on(node);
    const auto& named = declared.changing_outputs;
    for (OutputStream& output : node.outputs) {
      output.changes =
          passed_on || std::find(named.begin(), named.end(), output.name) != named.end();
    }
  }

  template <class T>
  std::shared_ptr<T> hold(std::shared_ptr<std::vector<std::shared_ptr<Schema>>> keep,
                          const Config& config, std::vector<const Schema*> owned,
                          Diagnostics& diagnostics) {
    auto* made = new T(config, std::move(owned), diagnostics);
    made->backend = topology_.backend_config.get();
    return std::shared_ptr<T>(made,
                              [keep = std::move(keep)](T* declaration) { delete declaration; });
  }

  void copy_new(std::size_t before) {
    const auto& all = topology_.diagnostics->all();
    for (std::size_t i = before; i < all.size(); ++i) {
      const Diagnostic& one = all[i];
      if (one.warning) {
        diagnostics_.warning(one.place, one.message, one.hint);
      } else {
        diagnostics_.error(one.place, one.message, one.hint);
      }
    }
  }

  /// Whether the operator can be asked what it makes of its inputs.
  bool check_inputs(const Node& node, const std::vector<const Schema*>& schemas) {
    const auto& inputs = node.descriptor->inputs;
    if (inputs.empty()) {
      check_same_schema(node, schemas);
      return true;
    }
    if (inputs.size() == schemas.size()) return true;
    std::vector<std::string> names;
    for (const InputDescriptor& input : inputs) names.push_back(input.name);
    diagnostics_.error(
        node.place,
        fmt::format("'{}' has {} inputs, and {} takes {}: {}", node.name, schemas.size(),
                    node.type_name, inputs.size(), fmt::join(names, ", ")),
        "name one stream for each, in this order");
    return false;
  }

  bool passes_changes_on(const Node& node) const {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const StreamRef from = node.inputs[i];
      const bool changing = topology_.nodes[from.node].outputs[from.port].changes;
      if (changing && changes_of(*node.descriptor, i) == Changes::kPassedOn) return true;
    }
    return false;
  }

  void check_same_schema(const Node& node, const std::vector<const Schema*>& schemas) {
    for (std::size_t i = 1; i < schemas.size(); ++i) {
      if (*schemas[i] == *schemas[0]) continue;
      diagnostics_.error(node.place,
                         fmt::format("the inputs of '{}' have different fields: ({}) and ({})",
                                     node.name, schemas[0]->to_string(), schemas[i]->to_string()),
                         "bring them to one schema with a map operator first");
    }
  }

  static void add_reject_output(Node& node, const std::vector<const Schema*>& inputs) {
    node.rejects = true;
    if (node.kind == ComponentKind::kSink) {
      node.outputs.push_back({std::string(kRejects), sink_reject_schema(inputs)});
      return;
    }
    Schema schema = inputs.empty() ? node.outputs.front().schema : *inputs.front();
    std::vector<Field> fields = schema.fields();
    for (std::string_view name : kRejectFields)
      fields.push_back({std::string(name), Type::kString});
    node.outputs.push_back({std::string(kRejects), Schema(std::move(fields))});
  }

 private:
  std::vector<std::shared_ptr<Schema>> schemas_;
};

}  // namespace

void declare_nodes(TopologyDraft& draft) {
  Declarer declarer(draft);
  for (NodeDraft* const node : draft.order) declarer.declare(*node);
}

}  // namespace huiliu::runtime
