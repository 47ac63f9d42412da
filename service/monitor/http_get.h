#pragma once

#include <string>

#include "runtime/base/status.h"

namespace huiliu::service {

/// The body of what http://ADDRESS/PATH answers with 200. kUnavailable if nobody answers within
/// five seconds, kFailed with the answer's first line if it is another.
runtime::Result<std::string> http_get(const std::string& address, const std::string& path);

}  // namespace huiliu::service
