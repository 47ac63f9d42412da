#pragma once

#include <filesystem>

#include "runtime/config.h"

namespace huiliu::cli {

/// Writes the files of a case's `input` (source → file name → content). Content is text, or a list
/// of records, written by the name's ending as NDJSON or CSV. A record may say `like: NAME`: it
/// then has the fields of that template too, but those it names itself.
void write_input_files(const runtime::Config& input, const runtime::Config& templates,
                       const std::filesystem::path& folder, runtime::Diagnostics& diagnostics);

}  // namespace huiliu::cli
