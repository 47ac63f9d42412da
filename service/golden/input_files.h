#pragma once

#include <filesystem>

#include "runtime/component/config.h"
#include "runtime/topology/topology.h"

namespace huiliu::service {

/// The record with what the template that it names (`like: NAME`) has, but for fields that it names
/// itself; they keep the template's order.
runtime::Config complete_record(const runtime::Config& record, const runtime::Config& templates,
                                runtime::Diagnostics& diagnostics);

/// Writes the files of a case's `input` (source of type `file` → file name → content). Content is
/// text, or a list of records, written by the name's ending as NDJSON, or as CSV with the source's
/// `delimiter`.
void write_input_files(const runtime::Topology& topology, const runtime::Config& input,
                       const runtime::Config& templates, const std::filesystem::path& folder,
                       runtime::Diagnostics& diagnostics);

}  // namespace huiliu::service
