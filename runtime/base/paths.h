#pragma once

#include <string>

#include "runtime/base/status.h"

namespace huiliu::runtime {

/// `path` seen from `folder` unless it is absolute.
std::string resolve_path(const std::string& folder, const std::string& path);
/// Makes a new name in the folder of `path` durable.
runtime::Status sync_folder_of(const std::string& path);
/// Makes `folder` and what is missing above it; the names of all of them are durable before this
/// returns, so that a loss of power takes nothing with them that is put into `folder` later.
runtime::Status make_folder(const std::string& folder);
/// The same for the folder in which `path` lies.
runtime::Status make_folder_of(const std::string& path);
/// Text for the errno of a failed call; kUnavailable.
runtime::Status io_failure(const std::string& what, const std::string& path, int error);

}  // namespace huiliu::runtime
