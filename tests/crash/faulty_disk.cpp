// Preloaded into the process under test: a disk that fills up, tears a write, or loses power.
//   HUILIU_DISK=full:K:M    the K-th to (K+M-1)-th write gives ENOSPC
//   HUILIU_DISK=torn:K      half of the K-th write is done, then SIGKILL
//   HUILIU_DISK=power:K     at the K-th sync, before it, every file that is only written at its end
//                           is cut to what was synced, every new name is gone whose folder was not
//                           synced since, then SIGKILL; power:0 does so when the process ends
// Counts only files and folders below HUILIU_DISK_FOLDER. Files that are written in the middle
// (SQLite) are left as they are by `power`; names that were deleted do not come back.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
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

/// Files and folders whose folder was not synced since they got their name.
std::set<std::string>& new_names() {
  static auto* all = new std::set<std::string>;
  return *all;
}

bool there(const char* path) {
  struct stat info {};
  return ::lstat(path, &info) == 0;
}

/// Where a path leads to that is there; "" if it is not below the folder of the faults.
std::string place_of(const char* path) {
  char* const whole = ::realpath(path, nullptr);
  const std::string found = whole == nullptr ? "" : whole;
  std::free(whole);
  return found.starts_with(fault().folder) ? found : "";
}

/// Runs `make`, which may give a file or folder the name `path`.
template <typename Make>
int note_name(const char* path, const Make& make) {
  const int before = errno;
  const bool old = fault().kind != "power" || there(path);
  errno = before;
  const int result = make();
  if (old || result < 0) return result;
  const int error = errno;
  if (const std::string place = place_of(path); !place.empty()) {
    const std::lock_guard lock(files_mutex);
    new_names().insert(place);
  }
  errno = error;
  return result;
}

bool is_in(const std::string& path, const std::string& folder) {
  return path.substr(0, path.rfind('/')) == folder;
}

bool watched(int fd, std::string* path, struct stat* info) {
  if (fault().kind.empty() || ::fstat(fd, info) != 0) return false;
  if (!S_ISREG(info->st_mode) && !S_ISDIR(info->st_mode)) return false;
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
  for (const std::string& name : new_names()) {
    // Another thread may still put something into a folder while it goes.
    std::error_code error;
    do {
      std::filesystem::remove_all(name, error);
    } while (error == std::errc::directory_not_empty);
  }
  die();
}

/// The folder's names are on disk.
void note_synced_names(const std::string& folder) {
  const std::lock_guard lock(files_mutex);
  std::erase_if(new_names(), [&](const std::string& name) { return is_in(name, folder); });
}

template <typename Sync>
int faulty_sync(int fd, const Sync& sync) {
  struct stat info {};
  std::string path;
  if (!watched(fd, &path, &info)) return sync(fd);
  if (++syncs == fault().first && fault().kind == "power") lose_power();
  const int result = sync(fd);
  if (result == 0 && S_ISDIR(info.st_mode)) note_synced_names(path);
  const std::lock_guard lock(files_mutex);
  const auto found = files().find(info.st_ino);
  if (result == 0 && found != files().end()) found->second.synced = info.st_size;
  return result;
}

/// Whether it was new under the name that it had.
bool moves_new_name(const std::string& before, const std::string& now) {
  const std::lock_guard lock(files_mutex);
  if (new_names().erase(before) == 0) return false;
  new_names().insert(now);
  return true;
}

template <typename Open>
int noting_open(const char* path, int flags, mode_t mode, const Open& open) {
  if ((flags & O_CREAT) == 0) return open(path, flags, mode);
  return note_name(path, [&] { return open(path, flags, mode); });
}

mode_t mode_of(int flags, std::va_list rest) {
  return (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
}

[[gnu::destructor]] void lose_power_at_the_end() {
  if (fault().kind == "power" && fault().first == 0) lose_power();
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  static auto* const next = real<int(const char*, int, mode_t)>("open");
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return noting_open(path, flags, mode, next);
}

int open64(const char* path, int flags, ...) {
  static auto* const next = real<int(const char*, int, mode_t)>("open64");
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return noting_open(path, flags, mode, next);
}

int mkdir(const char* path, mode_t mode) {
  static auto* const next = real<int(const char*, mode_t)>("mkdir");
  return note_name(path, [&] { return next(path, mode); });
}

int link(const char* from, const char* to) {
  static auto* const next = real<int(const char*, const char*)>("link");
  return note_name(to, [&] { return next(from, to); });
}

// A name that takes the place of another one, or was on disk under the old one, counts as on disk:
// what was there before could not be brought back. With it all names are that its folder got
// before: file systems keep that order.
int rename(const char* from, const char* to) {
  static auto* const next = real<int(const char*, const char*)>("rename");
  if (fault().kind != "power") return next(from, to);
  const std::string before = place_of(from);
  const bool replaces = there(to);
  const int result = next(from, to);
  const std::string now = result == 0 ? place_of(to) : "";
  if (now.empty()) return result;
  if (moves_new_name(before, now) && !replaces) return result;
  note_synced_names(now.substr(0, now.rfind('/')));
  return result;
}

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
