#pragma once

#include "operators/compare_settings.h"
#include "runtime/component/operator.h"

namespace huiliu::operators {

/// The table of `compare`: what its rows mean, how `huiliu state` shows them, and which layouts of
/// earlier versions are understood or taken over.
runtime::TableDeclaration state_table(const CompareSettings& settings);

}  // namespace huiliu::operators
