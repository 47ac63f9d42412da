#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/component/intake.h"

namespace huiliu::state {

/// Names of the sources that have an intake in a state folder; a process may have it open.
std::vector<std::string> intakes_in(const std::string& state_folder);

/// Shows each entry of a source's intake, in order, as it was a moment ago. kCorrupt names what is
/// damaged, after all entries before it were shown.
runtime::Status for_each_entry(const std::string& state_folder, const std::string& source,
                               const std::function<void(const runtime::IntakeEntry&)>& visit);

}  // namespace huiliu::state
