#pragma once

#include "runtime/base/failpoint.h"

namespace huiliu::state {

using runtime::failpoint;
using runtime::mutant;

}  // namespace huiliu::state
