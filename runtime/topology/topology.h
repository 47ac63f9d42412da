#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"
#include "runtime/component/operator.h"
#include "runtime/component/registry.h"
#include "runtime/component/sink.h"
#include "runtime/component/source.h"

namespace huiliu::runtime {

/// An output of a node. Ports: 0 = main, then the side outputs, then `rejects` if there is one.
struct StreamRef {
  std::size_t node = 0;
  std::size_t port = 0;
  bool operator==(const StreamRef&) const = default;
};

struct OutputStream {
  std::string name;  ///< "" for the main output
  Schema schema;
  bool changes = false;  ///< its records may take back earlier ones (Record::change)
};

/// A source, operator or sink of a topology, checked and declared.
struct Node {
  std::string name;
  ComponentKind kind = ComponentKind::kOperator;
  Place place;
  std::string type_name;
  const Descriptor* descriptor = nullptr;
  std::shared_ptr<Config> config;  ///< with defaults
  std::vector<StreamRef> inputs;
  std::vector<OutputStream> outputs;
  bool rejects = false;   ///< the last output is `rejects`
  bool internal = false;  ///< the engine's own (runtime/topology/repartition.h)
  // The type and its declaration; which one is set follows from `kind`.
  const SourceType* source = nullptr;
  const OperatorType* op = nullptr;
  const SinkType* sink = nullptr;
  std::shared_ptr<SourceDeclaration> source_declaration;
  std::shared_ptr<Declaration> operator_declaration;
  std::shared_ptr<SinkDeclaration> sink_declaration;

  /// "name" or "name.port".
  std::string stream_name(std::size_t port) const;
  std::size_t reject_port() const { return outputs.size() - 1; }
};

/// Paths of PEM files; "" = not given.
struct ServerTls {
  std::string certificate, key, client_ca;
};

/// A validated topology: a DAG of nodes in an order in which inputs come first.
struct Topology {
  std::string id;
  std::string version;
  std::string path;    ///< of the topology file
  std::string folder;  ///< relative paths of the config start here
  unsigned parallelism = 1;
  std::int64_t epoch_ms = 1000;
  std::uint16_t shards = 16;
  std::string state_path;
  std::uint64_t memory_bytes = 0;
  std::string listen;      ///< IP:PORT where metrics and health are answered; "" = nowhere
  std::string snapshots;   ///< folder that snapshots on demand go to; "" = there are none
  std::string token_file;  ///< path of the token that commands from elsewhere need; "" = none
  ServerTls tls;           ///< of `listen`; without a certificate it speaks plain HTTP
  const BackendType* backend = nullptr;  ///< null only if the registry has none
  std::shared_ptr<Config> backend_config;
  std::vector<Node> nodes;
  /// The types of `libraries`, on top of the caller's; nodes point into it.
  std::shared_ptr<const Registry> registry;
  std::shared_ptr<Diagnostics> diagnostics;  ///< declarations keep a reference to it

  const Node* find(std::string_view name) const;
  /// Whether a node has this stream among its inputs.
  bool is_read(const StreamRef& stream) const;
  std::vector<std::uint16_t> all_shards() const;
};

/// Per node: the sources, as nodes, whose records can reach it, itself included; ascending.
std::vector<std::vector<std::size_t>> sources_reaching(const Topology& topology);

/// Top-stage options of a topology file, for the config check and the JSON Schema.
const std::vector<Option>& topology_options();
/// Keys that every node of the kind takes besides its type's options.
const std::vector<std::string>& node_keys(ComponentKind kind);

/// Loads and validates a topology file. All problems are in `diagnostics`; the result is usable
/// only if there is no error among them, and while `registry` lives.
Topology load_topology(const std::string& path, const Registry& registry, Diagnostics& diagnostics);
/// The same from a parsed config (tests, inline topologies).
Topology build_topology(const Config& root, const std::string& path, const Registry& registry,
                        Diagnostics& diagnostics);

}  // namespace huiliu::runtime
