#pragma once

#include <set>
#include <string>

#include "tests/property/experiment.h"

namespace huiliu::property {

/// The first thing in which a run differs from that with one thread, for people; "" if nothing
/// does. Of the sinks in `last_row_sinks` only the last row of each key is compared.
std::string difference(const Results& one, const Results& many,
                       const std::set<std::string>& last_row_sinks);

}  // namespace huiliu::property
