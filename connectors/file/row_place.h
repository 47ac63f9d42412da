#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codecs/files/file_options.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// The file behind a name that the reader of a source gave to a partition.
std::string path_of_partition(const codecs::FileOptions& options, const std::string& base_folder,
                              const std::string& name);

/// Where row `row` of the file that the source calls `name` stands for people: the line of a text
/// file (its header and rows with line breaks counted), the sheet and row of a workbook. Reads the
/// file up to there; empty if it is gone or became shorter.
std::optional<runtime::RecordPlace> find_row_place(const codecs::FileOptions& options,
                                                   const std::string& base_folder,
                                                   const std::string& name, std::uint64_t row);

}  // namespace huiliu::connectors
