#pragma once

#include <memory>

#include "codecs/files/file_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Follows files that are appended to: gives out whole new lines and holds the rest back. A file is
/// known by what it begins with and by what was read of it, so it stays the same when it is renamed
/// (rotation) or copied and emptied (copytruncate).
std::unique_ptr<runtime::SourceReader> make_append_reader(codecs::FileOptions options);

}  // namespace huiliu::connectors
