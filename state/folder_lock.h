#pragma once

#include <memory>
#include <string>

#include <sys/types.h>

#include "runtime/base/status.h"

namespace huiliu::state {

/// The process that holds RocksDB's lock on a state folder; 0 if none does, as far as one can see.
/// Within the process that holds it, looking gives the lock away.
pid_t owner_of(const std::string& folder);

/// What another process has that runs on the folder, for an error.
std::string owned_text(const std::string& folder, pid_t owner);

/// Holds RocksDB's lock on a state folder that this process has not open: meanwhile no topology can
/// start there.
class FolderLock {
 public:
  /// kUnavailable if a process has the state open.
  static runtime::Result<std::unique_ptr<FolderLock>> take(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

}  // namespace huiliu::state
