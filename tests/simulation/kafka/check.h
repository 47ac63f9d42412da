#pragma once

#include <string>

#include "tests/simulation/kafka/broker.h"

namespace huiliu::simulation {

/// Whether each committed record of the input is in the outputs exactly once, in order, and the
/// changelogs fold to what must be remembered; as a reader of committed records finds it in the
/// logs. The first difference, or nothing. With several workers order is kept per key of the keyed
/// operators only.
std::string check_outputs(Broker& broker, bool several);

/// Committed records in the outputs; grows until all of the input is processed.
std::size_t count_outputs(Broker& broker);
/// What count_outputs() must come to.
std::size_t count_expected(Broker& broker);

}  // namespace huiliu::simulation
