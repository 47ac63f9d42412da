#include "runtime/topology/topology.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>

#include "runtime/base/listen_address.h"
#include "runtime/component/library_loader.h"
#include "runtime/topology/node_reading.h"
#include "runtime/topology/read_folders.h"
#include "runtime/topology/receipts.h"
#include "runtime/topology/reject_routing.h"
#include "runtime/topology/schema_declaration.h"
#include "runtime/topology/state_layout.h"
#include "runtime/topology/stream_checks.h"
#include "runtime/topology/stream_resolution.h"
#include "runtime/topology/topology_draft.h"

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
                    .doc = "Memory for tables and open windows; state may be larger.",
                    .default_text = "256MiB"}}},
      {.name = "server",
       .type = OptionType::kObject,
       .doc = "Where a run answers who asks for its metrics, health and status, and takes commands "
              "(`huiliu pause` and the like).",
       .members = {{.name = "listen",
                    .doc = "IP:PORT, such as `127.0.0.1:9464`. Whoever reaches it reads all names "
                           "and counts of the topology: keep to this machine, or to a network "
                           "that may. Default: nowhere."},
                   {.name = "token_file",
                    .type = OptionType::kPath,
                    .doc = "File whose content, of 16 bytes at least, commands from other machines "
                           "must bring as a bearer token; nobody but its owner and group may read "
                           "it. It is read when the run starts. Default: commands from other "
                           "machines are refused."},
                   {.name = "tls",
                    .type = OptionType::kObject,
                    .doc = "Answers by TLS 1.2 and later, and by nothing else. The files are PEM "
                           "and are read when the run starts. Default: plain HTTP.",
                    .members = {{.name = "certificate",
                                 .type = OptionType::kPath,
                                 .doc = "The server's certificate, then those that lead to its "
                                        "authority's.",
                                 .required = true},
                                {.name = "key",
                                 .type = OptionType::kPath,
                                 .doc = "Key of the certificate, not encrypted.",
                                 .required = true},
                                {.name = "client_ca",
                                 .type = OptionType::kPath,
                                 .doc =
                                     "Certificates of authorities: who asks must show a "
                                     "certificate of one of them. Default: everybody may ask."}}},
                   {.name = "snapshots",
                    .type = OptionType::kPath,
                    .doc = "Folder in which `huiliu snapshot IP:PORT` makes copies of the state; "
                           "who asks can name no other. With the embedded backend. Default: none "
                           "are made on demand."}}},
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

void read_server(const Config& server, Topology& topology, Diagnostics& diagnostics) {
  const auto path_of = [&](const Config& path) {
    if (!path.is_scalar() || path.text().empty()) return std::string();
    return (std::filesystem::path(topology.folder) / path.text()).string();
  };
  topology.token_file = path_of(server["token_file"]);
  topology.snapshots = path_of(server["snapshots"]);
  const Config& tls = server["tls"];
  topology.tls = {path_of(tls["certificate"]), path_of(tls["key"]), path_of(tls["client_ca"])};
  const Config& listen = server["listen"];
  if (!listen.is_scalar()) return;
  topology.listen = listen.text();
  const auto address = parse_listen_address(topology.listen);
  if (!address.is_ok()) diagnostics.error(listen.place(), address.status().message());
}

void build_nodes(const Config& root, TopologyDraft& draft) {
  // 1. Nodes as they are written.
  read_nodes(root, draft);
  add_receipts(draft);
  // 2. Who reads whom, and in which order.
  resolve_streams(draft);
  if (!sort_nodes(draft)) return;
  const std::vector<NodeDraft*> unread = route_rejects(root["rejects"], draft);
  // What nodes say of themselves would follow from what is not there.
  if (!sort_nodes(draft) || !draft.all_read) return;
  // 3. What each node makes of its inputs.
  declare_nodes(draft);
  if (draft.failed) return;
  // 4. The whole.
  report_rejects(root["rejects"], unread, draft);
  check_streams(draft);
  const auto* const backend = draft.topology.backend;
  if (backend != nullptr && backend->check) {
    backend->check(state_needs(draft.topology), draft.diagnostics);
  }
  const Config& state = root["state"];
  check_written_paths(draft.topology, draft.diagnostics);
  check_read_folders(draft.topology, state.is_map() ? state["path"].place() : root.place(),
                     draft.diagnostics);
}

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
  if (root["server"].is_map()) read_server(root["server"], topology, diagnostics);
  const auto types = std::make_shared<Registry>(&registry);
  const bool all = load_libraries(root["libraries"], topology.folder, *types, diagnostics);
  topology.registry = types;
  TopologyDraft draft{.topology = topology,
                      .registry = *types,
                      .diagnostics = diagnostics,
                      .all_read = read,
                      .all_types = all};
  build_nodes(root, draft);
  return topology;
}

Topology load_topology(const std::string& path, const Registry& registry,
                       Diagnostics& diagnostics) {
  return build_topology(load_config(path, diagnostics), path, registry, diagnostics);
}

std::vector<std::vector<std::size_t>> sources_reaching(const Topology& topology) {
  std::vector<std::vector<std::size_t>> reaching;
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    std::vector<std::size_t> sources;
    if (node.kind == ComponentKind::kSource) sources.push_back(n);
    for (const StreamRef& input : node.inputs) {
      const auto& more = reaching[input.node];
      sources.insert(sources.end(), more.begin(), more.end());
    }
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    reaching.push_back(std::move(sources));
  }
  return reaching;
}

}  // namespace huiliu::runtime
