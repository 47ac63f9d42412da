#pragma once

#include <string>
#include <string_view>

#include "runtime/topology/topology_draft.h"

namespace huiliu::runtime {

/// The source type that gives receipts; a topology does not write it.
inline constexpr std::string_view kReceiptsType = "receipts";

/// "SINK.receipts": the source, and where its sink keeps what it gives.
std::string receipts_name(std::string_view sink);

/// A node that reads SINK.receipts, what became of the sink's records at its receiver, reads a
/// source of that name, which is added here. With it come the records that the receiver refused:
/// SINK.rejects. Before streams are resolved.
void add_receipts(TopologyDraft& draft);

/// The sink whose receipts the source of this name gives; null if it gives none.
const Node* sink_of_receipts(const Topology& topology, const Node& source);

}  // namespace huiliu::runtime
