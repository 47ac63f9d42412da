#pragma once

#include <string>

#include "runtime/topology/topology.h"

namespace huiliu::service {

/// Whether the node is a sink that writes JSON.
bool has_message_schema(const runtime::Node& node);

/// JSON Schema (draft 7) of the values that such a sink writes, for those who read them. Of a sink
/// of type kafka also its topic, the fields of the key, and what a message without a value means.
std::string message_schema(const runtime::Topology& topology, const runtime::Node& sink);

}  // namespace huiliu::service
