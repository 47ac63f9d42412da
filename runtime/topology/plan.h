#pragma once

#include <string>
#include <vector>

#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// How records get from an output to an input.
enum class EdgeKind {
  kFused,    ///< direct call on the same thread
  kKeyed,    ///< to the thread that owns the key's shard
  kForward,  ///< same thread, but a later stage (the input has other inputs from there)
};

struct Edge {
  StreamRef from;
  std::size_t to = 0;
  std::size_t input = 0;  ///< index among the inputs of `to`
  EdgeKind kind = EdgeKind::kFused;
  std::size_t stage = 0;  ///< where records leave `from`
  /// Of a sink's `rejects`: the edge into the sink by which the refused records came, since a sink
  /// encodes wherever one of its inputs is made.
  std::size_t tap = kNoTap;
  static constexpr std::size_t kNoTap = ~std::size_t{0};
};

/// What a path from a source to a sink promises, and why.
struct PathGuarantee {
  std::string source, sink, guarantee, reason;
};

/// A topology cut into stages: the nodes of a stage run as fused chains on one thread; edges to a
/// later stage are exchanges. With one thread everything is stage 0.
struct Plan {
  const Topology* topology = nullptr;
  unsigned parallelism = 1;
  std::vector<std::size_t> stage;  ///< per node
  std::size_t stages = 1;
  std::vector<Edge> edges;
  std::size_t row_slots = 0;     ///< slots that any row may need
  std::vector<unsigned> owners;  ///< per shard: the thread that owns it, or kElsewhere

  static constexpr unsigned kElsewhere = ~0u;
  /// Only these shards are this process's; they are dealt out to the threads in turn.
  void keep_shards(const std::vector<std::uint16_t>& shards);

  /// Key fields of a node's input; a stateful node without a key is owned by one thread.
  static bool needs_key(const Node& node);
};

Plan make_plan(const Topology& topology, unsigned parallelism);

/// Per node: the nodes with state whose records can reach it, itself not among them; ascending.
std::vector<std::vector<std::size_t>> stateful_before(const Topology& topology);

/// Guarantee of every path from a source to a sink.
std::vector<PathGuarantee> guarantees(const Topology& topology);

}  // namespace huiliu::runtime
