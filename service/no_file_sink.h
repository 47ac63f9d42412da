#pragma once

#include <memory>

#include "runtime/component/sink.h"

namespace huiliu::service {

/// The file of a sink whose records are only looked at, or counted by the ledger.
std::unique_ptr<runtime::EpochSink> no_file();

}  // namespace huiliu::service
