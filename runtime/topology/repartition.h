#pragma once

#include "runtime/base/diagnostics.h"
#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// Whether several processes are to share the work, as the topology's `backend:` says.
bool shares_work(const Topology& topology);

/// Makes a topology fit for several processes: before each keyed operator X comes a sink and a
/// source, both named `X.repartition`, with a topic between them whose partitions are the shards. A
/// process then has all it needs of a shard: its input, its part of every table, its output.
/// Sources and sinks that only one process can have become errors.
Topology split_for_workers(Topology topology, Diagnostics& diagnostics);

/// Name of the topic between the two, without the topology's id.
std::string repartition_name(const Node& to, std::size_t input);

}  // namespace huiliu::runtime
