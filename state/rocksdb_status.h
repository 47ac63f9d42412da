#pragma once

#include <string>

#include <rocksdb/env.h>
#include <rocksdb/status.h>

#include "runtime/base/status.h"
#include "state/damaged.h"

namespace huiliu::state {

/// `what` names the file or table. Damage is kCorrupt, what may pass is kUnavailable.
inline runtime::Status from_rocksdb(const rocksdb::Status& status, const std::string& what) {
  if (status.ok()) return runtime::Status::ok();
  const std::string message = what + ": " + status.ToString();
  if (status.IsCorruption() || status.IsPathNotFound()) return damaged(message);
  if (status.IsIOError() || status.IsBusy() || status.IsTryAgain()) {
    return runtime::Status::unavailable(message);
  }
  return runtime::Status::fatal(message);
}

/// A file that cannot be deleted may be a table's under a second name: it must not be written.
inline runtime::Status delete_if_there(rocksdb::Env& env, const std::string& path) {
  const rocksdb::Status status = env.DeleteFile(path);
  if (status.IsNotFound() || status.IsPathNotFound()) return runtime::Status::ok();
  return from_rocksdb(status, path);
}

/// Throws what is wrong, for callers that cannot return it.
inline void require(const rocksdb::Status& status, const std::string& what) {
  if (!status.ok()) throw runtime::StatusError(from_rocksdb(status, what));
}

}  // namespace huiliu::state
