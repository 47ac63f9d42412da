#pragma once

#include <string>

#include "runtime/base/status.h"

namespace huiliu::runtime {

/// `path` seen from `folder` unless it is absolute.
std::string resolve_path(const std::string& folder, const std::string& path);
/// Makes a new name in the folder of `path` durable.
runtime::Status sync_folder_of(const std::string& path);
/// Text for the errno of a failed call; kUnavailable.
runtime::Status io_failure(const std::string& what, const std::string& path, int error);

}  // namespace huiliu::runtime
