#include "runtime/topology/node_reading.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

class Reader final : DraftStep {
 public:
  explicit Reader(TopologyDraft& draft) : DraftStep(draft) {}

  void read(const Config& root) {
    read_settings(root);
    read_section(root["sources"], ComponentKind::kSource);
    read_section(root["operators"], ComponentKind::kOperator);
    read_section(root["sinks"], ComponentKind::kSink);
  }

 private:
  void read_settings(const Config& root) {
    const Config config = with_defaults(root, topology_options());
    topology_.id = config["topology"].is_scalar() ? config["topology"].text() : "";
    check_id(config["topology"]);
    topology_.version = config.string_or("version", "1");
    // Nodes take options over from the backend: without it they would miss what is there.
    read_backend(root["backend"]);
    if (diagnostics_.has_errors()) return;
    topology_.parallelism = threads_of(config["parallelism"]);
    topology_.epoch_ms = config["epoch"].as_duration().count();
    topology_.shards = static_cast<std::uint16_t>(config["shards"].as_int());
    const Config state = with_defaults(config["state"], *state_options());
    topology_.state_path = state["path"].text();
    topology_.memory_bytes = state["memory"].as_size();
  }

  // It becomes part of the names of topics, groups and folders.
  void check_id(const Config& id) {
    if (!id.is_scalar() || is_id(topology_.id)) return;
    fail(id.place(), fmt::format("'{}' cannot be the id of a topology", topology_.id), kIdRule);
  }

  void read_backend(const Config& section) {
    const Config& type = section.is_map() ? section["type"] : section;
    if (!section.is_null() && !type.is_scalar()) {
      return fail(section.place(), "`backend` needs a type", "e.g. backend: {type: embedded}");
    }
    const std::string name = section.is_null() ? "embedded" : type.text();
    topology_.backend = registry_.backend(name);
    if (topology_.backend == nullptr) {
      if (section.is_null()) return;  // a program without backends
      std::vector<std::string> names;
      for (const Descriptor* known : registry_.descriptors(ComponentKind::kBackend)) {
        names.push_back(known->name);
      }
      return fail(type.place(), fmt::format("there is no backend '{}'", name),
                  nearest_hint(name, names));
    }
    const Descriptor& descriptor = topology_.backend->descriptor;
    const std::size_t errors = diagnostics_.errors();
    for (const Option& option : descriptor.options) {
      if (section.is_map() || !option.required) continue;
      return fail(section.place(), fmt::format("backend '{}' needs `{}`", name, option.name),
                  fmt::format("backend: {{type: {}, {}: ...}}", name, option.name));
    }
    if (section.is_map()) {
      check_config(section, descriptor.options, node_keys(descriptor.kind), diagnostics_);
    }
    topology_.backend_config = std::make_shared<Config>(with_defaults(section, descriptor.options));
    if (topology_.backend->declare && diagnostics_.errors() == errors) {
      topology_.backend->declare(*topology_.backend_config, diagnostics_);
    }
    if (diagnostics_.errors() != errors) failed_ = true;
  }

  static unsigned threads_of(const Config& parallelism) {
    if (parallelism.text() != "auto") return static_cast<unsigned>(parallelism.as_int());
    return std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
  }

  static const std::vector<Option>* state_options() {
    for (const Option& option : topology_options()) {
      if (option.name == "state") return &option.members;
    }
    return nullptr;
  }

  const Descriptor* find_type(Node& node, const std::string& type) {
    switch (node.kind) {
      case ComponentKind::kSource:
        node.source = registry_.source(type);
        return node.source ? &node.source->descriptor : nullptr;
      case ComponentKind::kOperator:
        node.op = registry_.operator_type(type);
        return node.op ? &node.op->descriptor : nullptr;
      case ComponentKind::kSink:
        node.sink = registry_.sink(type);
        return node.sink ? &node.sink->descriptor : nullptr;
      case ComponentKind::kBackend:
        break;
    }
    return nullptr;
  }

  void read_section(const Config& section, ComponentKind kind) {
    if (section.is_null()) return;
    if (!section.is_map()) return;  // reported by check_config
    for (const auto& [name, config] : section.entries()) {
      read_node(name, config, section.key_place(name), kind);
    }
  }

  void read_node(const std::string& name, const Config& config, const Place& place,
                 ComponentKind kind) {
    if (name.find('.') != std::string::npos || name.empty()) {
      diagnostics_.error(place, fmt::format("'{}' is no name: names have no dots", name));
      return;
    }
    for (const NodeDraft& other : drafts_) {
      if (other.node.name == name) {
        diagnostics_.error(place, fmt::format("the name '{}' is used twice", name),
                           fmt::format("first in line {}", other.node.place.line));
        return;
      }
    }
    NodeDraft& draft = drafts_.emplace_back();
    Node& node = draft.node;
    node.name = name;
    node.kind = kind;
    node.place = place;
    if (!config.is_map() || !config["type"].is_scalar()) {
      failed_ = true;
      if (!config.unread()) fail(place, fmt::format("'{}' needs a type", name));
      return;
    }
    node.type_name = config["type"].text();
    node.descriptor = find_type(node, node.type_name);
    if (!node.descriptor && !draft_.all_types) {
      failed_ = true;  // it may belong to a library that was refused
      return;
    }
    if (!node.descriptor) {
      std::vector<std::string> names;
      for (const Descriptor* known : registry_.descriptors(kind)) names.push_back(known->name);
      fail(config["type"].place(),
           fmt::format("there is no {} type '{}'", kind_name(kind), node.type_name),
           nearest_hint(node.type_name, names));
      return;
    }
    const std::size_t errors = diagnostics_.errors();
    check_config(config, node.descriptor->options, node_keys(kind), diagnostics_);
    if (diagnostics_.errors() != errors) failed_ = true;
    node.config = std::make_shared<Config>(with_defaults(config, node.descriptor->options));
    read_inputs(draft, config["input"]);
  }

  void read_inputs(NodeDraft& draft, const Config& input) {
    if (draft.node.kind == ComponentKind::kSource) return;
    std::vector<Config> items = input.is_list() ? input.items() : std::vector<Config>{input};
    if (input.is_null() || items.empty()) {
      if (draft.node.kind == ComponentKind::kSink) return;  // may still get the rejects
      fail(draft.node.place, fmt::format("'{}' needs an input", draft.node.name));
      return;
    }
    for (const Config& item : items) {
      if (!item.is_scalar()) {
        fail(item.place(), "expected the name of a stream");
        continue;
      }
      const std::string& text = item.text();
      const auto dot = text.find('.');
      draft.inputs.push_back({text.substr(0, dot),
                              dot == std::string::npos ? "" : text.substr(dot + 1), item.place()});
    }
  }
};

}  // namespace

void read_nodes(const Config& root, TopologyDraft& draft) { Reader(draft).read(root); }

}  // namespace huiliu::runtime
