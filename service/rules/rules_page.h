#pragma once

#include <string>

#include "runtime/topology/topology.h"

namespace huiliu::service {

/// Markdown of the rules of a topology: those of every `validate` node, every row of every `decide`
/// table, and the tables that operators name.
std::string rules_page(const runtime::Topology& topology, bool chinese);

}  // namespace huiliu::service
