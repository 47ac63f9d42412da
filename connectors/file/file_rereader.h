#pragma once

#include <memory>

#include "codecs/files/file_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// Reads files again for the rows of a selection; a file must have the content that was read then.
/// A file that was refused as a whole (E805_BAD_FILE) was never read: the rest of it is read now,
/// as new input is, with its position.
std::unique_ptr<runtime::SourceReader> make_file_rereader(codecs::FileOptions options);

}  // namespace huiliu::connectors
