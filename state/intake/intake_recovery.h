#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rocksdb/env.h>

#include "runtime/base/status.h"
#include "state/intake/intake_format.h"

namespace huiliu::state {

inline constexpr const char* kIntakeSuffix = ".intake";
inline constexpr const char* kIntakeKeysSuffix = ".keys";

/// Path of a file that is named by a number.
std::string intake_path(const std::string& folder, std::uint64_t number, const char* suffix);
/// Numbers of the files with that ending, ascending.
runtime::Result<std::vector<std::uint64_t>> numbered_files(rocksdb::Env& env,
                                                           const std::string& folder,
                                                           std::string_view suffix);

/// The segments of a folder, in their order, after all entries were read and shown to `visit`. A
/// group that was cut off at the end of the last one, since the power or the process went away
/// before it was durable, is left out. kCorrupt where anything else is missing or damaged, with the
/// file and the place. Changes nothing.
runtime::Result<std::vector<IntakeSegment>> recover_segments(
    rocksdb::Env& env, const std::string& folder,
    const std::function<void(const runtime::IntakeEntry&)>& visit);

}  // namespace huiliu::state
