#pragma once

#include <string>

#include "runtime/config.h"

namespace huiliu::cli {

/// Runs one golden case of `file` in a temporary folder, in one thread on a virtual clock. Returns
/// what differs from the expectation, empty if nothing does. Sets the environment's INPUT, OUTPUT
/// and STATE, so it is for one thread at a time.
std::string run_golden_case(const runtime::Config& golden, const std::string& file);

}  // namespace huiliu::cli
