#pragma once

#include <string>

#include "runtime/base/status.h"

namespace huiliu::state {

/// A state that is not what was committed, and what to do.
inline runtime::Status damaged(const std::string& message) {
  return runtime::Status::corrupt(
      message +
      ". The state is damaged, or made of files of different moments; nothing was changed. `huiliu "
      "state --verify` names every damaged file. Start from a snapshot (`huiliu run --from`) with "
      "another state folder; with Kafka remove the folder, it is restored from the changelog; else "
      "start afresh, with the outputs of before put aside");
}

}  // namespace huiliu::state
