#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/files/file_options.h"

namespace huiliu::connectors {

/// A row as a file's reader numbers it, and the id of the record that it became.
struct RowIdentity {
  std::uint64_t row = 0;
  std::uint64_t id = 0;
};

/// A row of a file as it was sent; of NDJSON the keys are the headings. Views live during the call.
struct OriginalRow {
  RowIdentity of;
  const std::vector<std::string>& headings;
  const std::vector<int>& columns;  ///< the field of each heading, or -1
  const std::vector<std::string_view>& cells;
};

/// Reads a file again and hands over those of the rows (in ascending order) that
/// are in it; also those that the decoder refused, as well as they can be cut into cells. `name` is
/// the partition that the source gave. Nothing is handed over if the file is gone, is another by
/// size, beginning or end than the one that the ids are of.
void read_original_rows(const codecs::FileOptions& options, const std::string& base_folder,
                        const std::string& name, const std::vector<RowIdentity>& rows,
                        const std::function<void(const OriginalRow&)>& use);

}  // namespace huiliu::connectors
