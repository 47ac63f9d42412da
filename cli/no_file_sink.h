#pragma once

#include <memory>

#include "runtime/sink.h"

namespace huiliu::cli {

/// The file of a sink whose records are only looked at, or counted by the ledger.
std::unique_ptr<runtime::FileLikeSink> no_file();

}  // namespace huiliu::cli
