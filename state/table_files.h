#pragma once

#include <string>

#include "runtime/base/status.h"

namespace huiliu::state {

/// Looks at the footers of a state's table files, the only part of them that RocksDB keeps no
/// checksum of (before format 6): a wrong one makes it read garbage as blocks and abort. Files that
/// a crash has left unfinished have no footer and are RocksDB's matter.
runtime::Status check_footers(const std::string& folder);
runtime::Status check_footer(const std::string& path);

}  // namespace huiliu::state
