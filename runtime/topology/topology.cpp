#include "runtime/topology/topology.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "runtime/component/library_loader.h"
#include "runtime/component/sink_rejects.h"
#include "runtime/topology/read_folders.h"
#include "runtime/topology/state_layout.h"

namespace huiliu::runtime {

std::string Node::stream_name(std::size_t port) const {
  if (port >= outputs.size() || outputs[port].name.empty()) return name;
  return name + "." + outputs[port].name;
}

const Node* Topology::find(std::string_view name) const {
  for (const Node& node : nodes) {
    if (node.name == name) return &node;
  }
  return nullptr;
}

bool Topology::is_read(const StreamRef& stream) const {
  return std::any_of(nodes.begin(), nodes.end(), [&](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), stream) != node.inputs.end();
  });
}

std::vector<std::uint16_t> Topology::all_shards() const {
  std::vector<std::uint16_t> all(shards);
  std::iota(all.begin(), all.end(), std::uint16_t{0});
  return all;
}

constexpr unsigned kMostThreads = 256;
constexpr std::string_view kRejects = "rejects";

const std::vector<Option>& topology_options() {
  static const std::vector<Option> options = {
      {.name = "topology",
       .doc = "Identity of the topology; state belongs to it. Letters, digits, `.`, `_` and `-`.",
       .required = true},
      {.name = "version", .doc = "Version for people; shown in logs.", .default_text = "1"},
      {.name = "description", .doc = "What the topology is for."},
      {.name = "parallelism",
       .type = OptionType::kInt,
       .doc = "EngineThread threads; `auto`: as many as the machine runs at a time. Results do not "
              "depend on it.",
       .default_text = "1",
       .choices = {"auto"},
       .minimum = 1,
       .maximum = kMostThreads},
      {.name = "epoch",
       .type = OptionType::kDuration,
       .doc = "Time between commits.",
       .default_text = "1s",
       .minimum = 1},
      {.name = "shards",
       .type = OptionType::kInt,
       .doc = "Shards of every table; fixed for the life of the state.",
       .default_text = "16",
       .minimum = 1,
       .maximum = 1024},
      {.name = "state",
       .type = OptionType::kObject,
       .doc = "Where state is kept.",
       .members = {{.name = "path",
                    .type = OptionType::kPath,
                    .doc = "Folder of the state; made if absent.",
                    .default_text = "state"},
                   {.name = "memory",
                    .type = OptionType::kSize,
                    .doc = "Memory for tables; state may be larger.",
                    .default_text = "256MiB"}}},
      {.name = "backend",
       .type = OptionType::kAny,
       .doc = "Where epochs commit: a map of `type` and the type's options, or the type alone. "
              "Default: `embedded`."},
      {.name = "libraries",
       .type = OptionType::kList,
       .doc = "Shared libraries with further types, relative to the topology file.",
       .members = {{.type = OptionType::kPath}}},
      {.name = "rejects", .doc = "Sink that takes every `rejects` output which no node reads."},
      {.name = "sources", .type = OptionType::kMap, .doc = "Name → source.", .required = true},
      {.name = "operators", .type = OptionType::kMap, .doc = "Name → operator."},
      {.name = "sinks", .type = OptionType::kMap, .doc = "Name → sink.", .required = true},
  };
  return options;
}

const std::vector<std::string>& node_keys(ComponentKind kind) {
  static const std::vector<std::string> source = {"type", "description"};
  static const std::vector<std::string> backend = {"type"};
  static const std::vector<std::string> other = {"type", "input", "description"};
  if (kind == ComponentKind::kBackend) return backend;
  return kind == ComponentKind::kSource ? source : other;
}

namespace {

class Builder {
 public:
  Builder(Topology& topology, bool all_read, bool all_types, Diagnostics& diagnostics)
      : topology_(topology),
        registry_(*topology.registry),
        all_read_(all_read),
        all_types_(all_types),
        diagnostics_(diagnostics) {}

  void build(const Config& root) {
    read_settings(root);
    read_section(root["sources"], ComponentKind::kSource);
    read_section(root["operators"], ComponentKind::kOperator);
    read_section(root["sinks"], ComponentKind::kSink);
    for (NodeDraft& draft : drafts_) resolve_inputs(draft);
    if (!sort()) return;
    route_rejects(root["rejects"]);
    // What nodes say of themselves would follow from what is not there.
    if (!sort() || !all_read_) return;
    for (NodeDraft* draft : order_) declare(*draft);
    if (failed_) return;
    report_rejects(root["rejects"]);
    check_consumed();
    check_event_time();
    const auto* const backend = topology_.backend;
    if (backend != nullptr && backend->check) backend->check(state_needs(topology_), diagnostics_);
    const Config& state = root["state"];
    check_written_paths(topology_, diagnostics_);
    check_read_folders(topology_, state.is_map() ? state["path"].place() : root.place(),
                       diagnostics_);
  }

 private:
  struct Input {
    std::string node, port;
    Place place;
  };
  struct NodeDraft {
    Node node;
    std::vector<Input> inputs;
    std::vector<NodeDraft*> upstream;
    std::size_t index = 0;
    int mark = 0;  // depth-first search: 1 = on the way, 2 = done
  };

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
    if (!node.descriptor && !all_types_) {
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

  void resolve_inputs(NodeDraft& draft) {
    for (const Input& input : draft.inputs) {
      std::vector<std::string> names;
      NodeDraft* found = nullptr;
      for (NodeDraft& other : drafts_) {
        const bool streams = other.node.kind != ComponentKind::kSink || may_refuse(other);
        if (!streams) continue;
        names.push_back(other.node.name);
        if (other.node.name == input.node) found = &other;
      }
      if (found && found->node.kind == ComponentKind::kSink && input.port != kRejects) {
        fail(input.place, fmt::format("the sink '{}' has no output but its rejects", input.node),
             fmt::format("did you mean '{}.rejects'?", input.node));
        continue;
      }
      if (!found) {
        fail(input.place, fmt::format("there is no stream '{}'", input.node),
             nearest_hint(input.node, names));
        continue;
      }
      draft.upstream.push_back(found);
    }
  }

  bool visit(NodeDraft& draft) {
    if (draft.mark == 2) return true;
    if (draft.mark == 1) {
      fail(draft.node.place,
           fmt::format("'{}' is its own input: the streams form a cycle", draft.node.name));
      return false;
    }
    draft.mark = 1;
    for (NodeDraft* upstream : draft.upstream) {
      if (!visit(*upstream)) return false;
    }
    draft.mark = 2;
    draft.index = order_.size();
    order_.push_back(&draft);
    return true;
  }

  bool sort() {
    order_.clear();
    for (NodeDraft& draft : drafts_) draft.mark = 0;
    for (NodeDraft& draft : drafts_) {
      if (!visit(draft)) return false;
    }
    return !failed_;
  }

  void declare(NodeDraft& draft) {
    if (failed_) return;
    Node& node = draft.node;
    std::vector<const Schema*> schemas;
    for (std::size_t i = 0; i < draft.inputs.size(); ++i) {
      const Input& input = draft.inputs[i];
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
    declare_node(node, schemas);
    // What is wrong with a sink changes no stream: the others are looked at all the same.
    const bool wrong = diagnostics_.errors() != errors;
    failed_ = failed_ || (wrong && node.kind != ComponentKind::kSink);
    topology_.nodes.push_back(std::move(node));
  }

  void declare_node(Node& node, const std::vector<const Schema*>& schemas) {
    // Declarations keep pointers to schemas, so those must not move: copies are owned here.
    std::vector<const Schema*> owned;
    for (const Schema* schema : schemas) {
      owned.push_back(schemas_.emplace_back(std::make_shared<Schema>(*schema)).get());
    }
    const auto keep = std::make_shared<std::vector<std::shared_ptr<Schema>>>(schemas_);
    Diagnostics& sink = *topology_.diagnostics;
    const std::size_t before = sink.all().size();
    const auto take_outputs = [&](const Declaration& declared) {
      node.outputs.push_back({"", declared.output});
      for (const auto& [name, schema] : declared.side_outputs)
        node.outputs.push_back({name, schema});
    };
    if (node.kind == ComponentKind::kSource) {
      node.source_declaration = hold<SourceDeclaration>(keep, *node.config, owned, sink);
      node.source->declare(*node.source_declaration);
      take_outputs(*node.source_declaration);
    } else if (node.kind == ComponentKind::kOperator) {
      node.operator_declaration = hold<Declaration>(keep, *node.config, owned, sink);
      check_same_schema(node, owned);
      node.op->declare(*node.operator_declaration);
      take_outputs(*node.operator_declaration);
    } else {
      node.sink_declaration = hold<SinkDeclaration>(keep, *node.config, owned, sink);
      for (const Node& other : topology_.nodes) {
        if (other.kind != ComponentKind::kSource) continue;
        node.sink_declaration->sources[other.name] = other.config.get();
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

  bool consumed(std::size_t node, std::size_t port) const {
    for (const Node& other : topology_.nodes) {
      for (const StreamRef& input : other.inputs) {
        if (input.node == node && input.port == port) return true;
      }
    }
    return false;
  }

  static bool may_refuse(const NodeDraft& draft) {
    return draft.node.descriptor != nullptr && draft.node.descriptor->rejects;
  }

  bool rejects_are_read(const NodeDraft& draft) const {
    return std::any_of(drafts_.begin(), drafts_.end(), [&](const NodeDraft& other) {
      return std::any_of(other.inputs.begin(), other.inputs.end(), [&](const Input& input) {
        return input.node == draft.node.name && input.port == kRejects;
      });
    });
  }

  /// `from` and all that it feeds, however far.
  std::set<const NodeDraft*> fed_by(const NodeDraft* from) const {
    std::set<const NodeDraft*> fed = {from};
    for (const NodeDraft* draft : order_) {
      const auto& upstream = draft->upstream;
      const bool any = std::any_of(upstream.begin(), upstream.end(),
                                   [&](const NodeDraft* one) { return fed.contains(one); });
      if (any) fed.insert(draft);
    }
    return fed;
  }

  /// Rejects that no node reads go to the sink that `rejects` names. The rejects of that sink and
  /// of what reads them cannot: they would come back to where they were refused.
  void route_rejects(const Config& rejects) {
    NodeDraft* target = nullptr;
    for (NodeDraft& draft : drafts_) {
      const bool named = rejects.is_scalar() && draft.node.name == rejects.text();
      if (named && draft.node.kind == ComponentKind::kSink) target = &draft;
    }
    const std::set<const NodeDraft*> behind = fed_by(target);
    for (NodeDraft* draft : order_) {
      if (!may_refuse(*draft) || rejects_are_read(*draft)) continue;
      if (target == nullptr || behind.contains(draft)) {
        unread_.push_back(draft);
        continue;
      }
      target->inputs.push_back({draft->node.name, std::string(kRejects), rejects.place()});
      target->upstream.push_back(draft);
    }
  }

  void report_rejects(const Config& rejects) {
    std::vector<std::string> names;
    for (const Node& node : topology_.nodes) {
      if (node.kind == ComponentKind::kSink) names.push_back(node.name);
    }
    const bool known = std::find(names.begin(), names.end(), rejects.text()) != names.end();
    if (rejects.is_scalar() && !known) {
      return fail(rejects.place(), fmt::format("there is no sink '{}'", rejects.text()),
                  nearest_hint(rejects.text(), names));
    }
    for (const NodeDraft* draft : unread_) {
      // The last sink in the line has nobody to hand its rejects to: they are counted and logged.
      const Node& node = topology_.nodes[draft->index];
      if (rejects.is_scalar() && node.kind == ComponentKind::kSink) continue;
      fail(
          node.place, fmt::format("the rejects of '{}' go nowhere", node.name),
          fmt::format("{}use '{}.rejects' as an input",
                      rejects.is_scalar() ? "" : "set `rejects: SINK` at the top, or ", node.name));
    }
  }

  void check_consumed() {
    for (std::size_t n = 0; n < topology_.nodes.size(); ++n) {
      const Node& node = topology_.nodes[n];
      if (node.kind == ComponentKind::kSink || node.outputs.empty() || consumed(n, 0)) continue;
      if (node.descriptor->output_optional) continue;
      bool any = false;
      for (std::size_t p = 1; p < node.outputs.size(); ++p) any = any || consumed(n, p);
      if (!any) {
        diagnostics_.warning(node.place, fmt::format("nobody reads the output of '{}'", node.name));
      }
    }
  }

  /// Whether records with event time may reach each node; inputs come first.
  std::vector<bool> timed_nodes() const {
    std::vector<bool> timed;
    for (const Node& node : topology_.nodes) {
      const bool own =
          node.kind == ComponentKind::kSource && node.source_declaration->event_time_field >= 0;
      timed.push_back(own || std::any_of(node.inputs.begin(), node.inputs.end(),
                                         [&](const StreamRef& from) { return timed[from.node]; }));
    }
    return timed;
  }

  /// Without any event time such an operator would refuse every record at run time.
  void check_event_time() {
    const std::vector<bool> timed = timed_nodes();
    for (std::size_t n = 0; n < topology_.nodes.size(); ++n) {
      const Node& node = topology_.nodes[n];
      if (!node.descriptor->needs_event_time || timed[n]) continue;
      fail(
          node.place,
          fmt::format("'{}' needs event time, and no source that it reads from has any", node.name),
          "give the source `event_time: FIELD`");
    }
  }

  void fail(const Place& place, std::string message, std::string hint = "") {
    diagnostics_.error(place, std::move(message), std::move(hint));
    failed_ = true;
  }

  Topology& topology_;
  const Registry& registry_;
  const bool all_read_;   ///< nothing of the config could not be read
  const bool all_types_;  ///< no library is missing
  Diagnostics& diagnostics_;
  std::deque<NodeDraft> drafts_;
  std::vector<NodeDraft*> order_;
  std::vector<std::shared_ptr<Schema>> schemas_;
  std::vector<NodeDraft*> unread_;  ///< whose rejects no node reads
  bool failed_ = false;
};

// False if one of them cannot be used.
bool load_libraries(const Config& paths, const std::string& folder, Registry& registry,
                    Diagnostics& diagnostics) {
  const std::size_t errors = diagnostics.errors();
  const std::vector<Config> one = {paths};
  for (const Config& item : paths.is_list() ? paths.items() : one) {
    if (!item.is_scalar()) continue;
    const auto path = std::filesystem::path(folder) / item.text();
    load_library(path.lexically_normal().string(), item.place(), registry, diagnostics);
  }
  return diagnostics.errors() == errors;
}

}  // namespace

Topology build_topology(const Config& root, const std::string& path, const Registry& registry,
                        Diagnostics& diagnostics) {
  Topology topology;
  topology.path = path;
  topology.folder = std::filesystem::path(path).parent_path().string();
  if (topology.folder.empty()) topology.folder = ".";
  topology.diagnostics = std::make_shared<Diagnostics>();
  if (!root.is_map()) {
    if (!diagnostics.has_errors()) {
      diagnostics.error(root.place(), "expected a topology: a map with topology, sources, sinks");
    }
    return topology;
  }
  const bool read = !diagnostics.has_errors();
  check_config(root, topology_options(), {}, diagnostics);
  const auto types = std::make_shared<Registry>(&registry);
  const bool all = load_libraries(root["libraries"], topology.folder, *types, diagnostics);
  topology.registry = types;
  Builder(topology, read, all, diagnostics).build(root);
  return topology;
}

Topology load_topology(const std::string& path, const Registry& registry,
                       Diagnostics& diagnostics) {
  return build_topology(load_config(path, diagnostics), path, registry, diagnostics);
}

}  // namespace huiliu::runtime
