#pragma once

#include <string>
#include <vector>

#include "connectors/metrics/label_counts.h"
#include "runtime/component/config.h"

namespace huiliu::connectors::metrics {

/// Reads the CSV table of what is expected: a column for each label, and `every`, a duration such
/// as 8h or 7d; `remark` is for people. Lines that begin with # are comments. `path` is relative to
/// the file it is written in. What is wrong is reported at its place; `most` rows may be there.
Expected load_expected(const runtime::Config& path, const std::vector<std::string>& labels,
                       std::size_t most, runtime::Diagnostics& diagnostics);

}  // namespace huiliu::connectors::metrics
