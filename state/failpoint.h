#pragma once

#include "runtime/failpoint.h"

namespace huiliu::state {

using runtime::failpoint;
using runtime::mutant;

}  // namespace huiliu::state
