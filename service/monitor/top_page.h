#pragma once

#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::service {

/// What `huiliu top` shows of two answers of /status that are `seconds` apart: nodes by their
/// records a second, the slowest first, how far sources are behind, whom time waits for, how long
/// an epoch takes, and what is away. Rates are of what was committed in between; a node that has
/// counted fewer records than before, as of another state, has rate 0. kInvalid if one is no such
/// answer.
runtime::Result<std::string> top_text(std::string_view before, std::string_view now,
                                      double seconds);

}  // namespace huiliu::service
