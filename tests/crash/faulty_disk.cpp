// Preloaded into the process under test: a disk that fills up, tears a write, or loses power.
//   HUILIU_DISK=full:K:M    the K-th to (K+M-1)-th write gives ENOSPC
//   HUILIU_DISK=torn:K      half of the K-th write is done, then SIGKILL
//   HUILIU_DISK=power:K     at the K-th sync, before it, every file that is only written at its end
//                           is cut to what was synced, then SIGKILL
// Counts only files below HUILIU_DISK_FOLDER. Files that are written in the middle (SQLite) are
// left as they are by `power`.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

struct Fault {
  std::string kind, folder;
  long first = 0, count = 1;
};

const Fault& fault() {
  static const Fault chosen = [] {
    Fault result;
    const char* text = std::getenv("HUILIU_DISK");
    const char* folder = std::getenv("HUILIU_DISK_FOLDER");
    if (text == nullptr || folder == nullptr) return result;
    const std::string all = text;
    const auto colon = all.find(':');
    result.kind = all.substr(0, colon);
    char* rest = nullptr;
    result.first = std::strtol(all.c_str() + colon + 1, &rest, 10);
    if (*rest == ':') result.count = std::strtol(rest + 1, nullptr, 10);
    result.folder = folder;
    return result;
  }();
  return chosen;
}

/// A file by its inode, since it may be opened twice.
struct File {
  off_t synced = 0;
  bool only_appended = true;
  std::string path;
};

std::mutex files_mutex;
std::map<ino_t, File>& files() {
  static auto* all = new std::map<ino_t, File>;  // outlives static destruction
  return *all;
}

bool watched(int fd, std::string* path, struct stat* info) {
  if (fault().kind.empty() || ::fstat(fd, info) != 0 || !S_ISREG(info->st_mode)) return false;
  char name[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), name, sizeof name);
  if (size <= 0) return false;
  path->assign(name, static_cast<std::size_t>(size));
  return path->starts_with(fault().folder);
}

/// Notes a write at `offset`; the file's state before its first write was on disk.
void note_write(const struct stat& info, const std::string& path, off_t offset) {
  const std::lock_guard lock(files_mutex);
  const auto [at, fresh] = files().try_emplace(info.st_ino);
  if (fresh) at->second = {info.st_size, true, path};
  if (offset < at->second.synced) at->second.only_appended = false;
}

[[noreturn]] void die() {
  ::raise(SIGKILL);
  std::abort();
}

std::atomic<long> writes{0}, syncs{0};

template <typename Write>
ssize_t faulty_write(int fd, std::size_t size, off_t offset, const Write& write) {
  const int before = errno;
  struct stat info {};
  std::string path;
  if (!watched(fd, &path, &info)) return errno = before, write(size);
  note_write(info, path, offset < 0 ? info.st_size : offset);
  const long count = ++writes;
  if (fault().kind == "full" && count >= fault().first && count < fault().first + fault().count) {
    errno = ENOSPC;
    return -1;
  }
  if (fault().kind == "torn" && count == fault().first) {
    write(size / 2);
    die();
  }
  errno = before;
  return write(size);
}

void lose_power() {
  const std::lock_guard lock(files_mutex);
  // A file that another thread has mapped (SQLite's -shm) may be cut under its hands.
  std::signal(SIGBUS, [](int) { ::raise(SIGKILL); });
  for (const auto& [inode, file] : files()) {
    struct stat info {};
    if (!file.only_appended || ::stat(file.path.c_str(), &info) != 0) continue;
    if (info.st_ino == inode && info.st_size > file.synced) {
      if (::truncate(file.path.c_str(), file.synced) != 0) std::abort();
    }
  }
  die();
}

template <typename Sync>
int faulty_sync(int fd, const Sync& sync) {
  struct stat info {};
  std::string path;
  if (!watched(fd, &path, &info)) return sync(fd);
  if (++syncs == fault().first && fault().kind == "power") lose_power();
  const int result = sync(fd);
  const std::lock_guard lock(files_mutex);
  const auto found = files().find(info.st_ino);
  if (result == 0 && found != files().end()) found->second.synced = info.st_size;
  return result;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  return faulty_write(fd, size, -1, [&](size_t most) { return next(fd, bytes, most); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return faulty_write(fd, size, offset, [&](size_t most) { return next(fd, bytes, most, offset); });
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return faulty_write(fd, size, offset, [&](size_t most) { return next(fd, bytes, most, offset); });
}

int fsync(int fd) {
  static auto* const next = real<int(int)>("fsync");
  return faulty_sync(fd, next);
}

int fdatasync(int fd) {
  static auto* const next = real<int(int)>("fdatasync");
  return faulty_sync(fd, next);
}
}
