#pragma once

#include <string>
#include <vector>

#include "runtime/component/config.h"
#include "service/golden/captured_sinks.h"

namespace huiliu::service {

/// How the records of a sink differ from those expected, for people; empty if they do not. Fields
/// that an expected record does not name are not compared. A record that is missing or too many
/// does not make those after it differ.
std::string differences_of(const std::string& sink, const runtime::Config& expected,
                           const std::vector<CapturedRecord>& found);

}  // namespace huiliu::service
