#include "state/folder_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "runtime/base/paths.h"

namespace huiliu::state {
namespace {

using runtime::Result;
using runtime::Status;

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

std::string lock_file(const std::string& folder) { return folder + "/LOCK"; }

}  // namespace

pid_t owner_of(const std::string& folder) {
  const int file = ::open(lock_file(folder).c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return 0;
  struct flock lock = whole_file();
  const bool held = ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(file);
  return held ? lock.l_pid : 0;
}

std::string owned_text(const std::string& folder, pid_t owner) {
  return fmt::format("another process runs here: process {} holds the state {}", owner, folder);
}

Result<std::unique_ptr<FolderLock>> FolderLock::take(const std::string& folder) {
  const int file = ::open(lock_file(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return runtime::io_failure("cannot open", lock_file(folder), errno);
  std::unique_ptr<FolderLock> taken(new FolderLock(file));
  struct flock lock = whole_file();
  if (::fcntl(file, F_SETLK, &lock) == 0) return taken;
  if (errno != EACCES && errno != EAGAIN) {
    return runtime::io_failure("cannot lock", lock_file(folder), errno);
  }
  return Status::unavailable(owned_text(folder, owner_of(folder)) + ". End it first");
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace huiliu::state
