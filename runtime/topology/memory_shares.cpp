#include "runtime/topology/memory_shares.h"

#include <algorithm>

namespace huiliu::runtime {
namespace {

bool has_cache(const Node& node) {
  if (node.kind != ComponentKind::kOperator) return false;
  const auto& tables = node.operator_declaration->tables;
  return std::any_of(tables.begin(), tables.end(),
                     [](const TableDeclaration& table) { return table.cached; });
}

}  // namespace

MemoryShares memory_shares(const Topology& topology) {
  constexpr std::uint64_t kUnsaid = 256u << 20, kPart = 4;
  const auto caches = static_cast<std::uint64_t>(
      std::count_if(topology.nodes.begin(), topology.nodes.end(), has_cache));
  if (caches == 0) return {.tables = topology.memory_bytes, .cache = 0};
  if (topology.memory_bytes == 0) return {.tables = 0, .cache = kUnsaid / kPart / caches};
  const std::uint64_t of_caches = topology.memory_bytes / kPart;
  return {.tables = topology.memory_bytes - of_caches, .cache = of_caches / caches};
}

}  // namespace huiliu::runtime
