#pragma once

#include "runtime/component/library.h"

namespace fines {

/// `bands`: says in which band a number lies.
huiliu::runtime::OperatorType bands();

/// `running_total`: sums a field up by key.
huiliu::runtime::OperatorType running_total();

}  // namespace fines
