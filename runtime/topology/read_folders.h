#pragma once

#include <string>

#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// The source that would read a state folder's files, by its options `path` (a folder with all
/// below it, a file, or a glob) and `pattern`; null if none would.
const Node* reader_of_state(const Topology& topology, const std::string& folder);

/// Refuses sinks and a state folder that lie where a source of the same topology reads, unless its
/// `pattern` leaves them out: the topology would read its own output, and again what it makes of
/// that.
void check_read_folders(const Topology& topology, const Place& state_place,
                        Diagnostics& diagnostics);

/// Refuses sinks that would write the same file, or the same table without keys: rows of one would
/// be lost to the other.
void check_written_paths(const Topology& topology, Diagnostics& diagnostics);

}  // namespace huiliu::runtime
