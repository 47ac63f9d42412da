#pragma once

#include <memory>

#include "codecs/files/file_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Reads files one after the other, in the order of their paths, in slices cut at row ends.
std::unique_ptr<runtime::SourceReader> make_file_reader(codecs::FileOptions options);

}  // namespace huiliu::connectors
