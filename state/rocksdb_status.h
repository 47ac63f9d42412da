#pragma once

#include <string>

#include <rocksdb/status.h>

#include "runtime/status.h"

namespace huiliu::state {

/// `what` names the file or table. Damage is kCorrupt, what may pass is kUnavailable.
inline runtime::Status from_rocksdb(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return runtime::Status::ok();
  const std::string message = what + ": " + status.ToString();
  if (status.IsCorruption()) return runtime::Status::corrupt(message);
  if (status.IsIOError() || status.IsBusy() || status.IsTryAgain()) {
    return runtime::Status::unavailable(message);
  }
  return runtime::Status::fatal(message);
}

}  // namespace huiliu::state
