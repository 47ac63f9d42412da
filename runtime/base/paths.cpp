#include "runtime/base/paths.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/failpoint.h"

namespace huiliu::runtime {

std::string resolve_path(const std::string& folder, const std::string& path) {
  const std::filesystem::path given(path);
  if (given.is_absolute() || folder.empty()) return given.lexically_normal().string();
  return (std::filesystem::path(folder) / given).lexically_normal().string();
}

Status io_failure(const std::string& what, const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    return Status::unavailable(
        fmt::format("{}: no space left on the disk; free some, it goes on by itself", path));
  }
  return Status::unavailable(fmt::format("{} {}: {}", what, path, std::strerror(error)));
}

Status sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_failure("cannot open folder", folder, errno);
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return result == 0 ? Status::ok() : io_failure("cannot sync folder", folder, error);
}

namespace {

/// A process that died between making a folder and syncing its name has left a folder that looks
/// like any other: whoever comes next syncs the name of the deepest folder that is there. Folders
/// above it are durable, since nothing is made in a folder whose name is not. What may not be
/// opened belongs to somebody else, who made the folder.
Status sync_name_that_was_there(const std::string& folder) {
  const std::filesystem::path above = std::filesystem::path(folder).parent_path();
  if (!above.empty() && ::access(above.c_str(), R_OK) != 0) return Status::ok();
  return sync_folder_of(folder);
}

}  // namespace

Status make_folder(const std::string& folder) {
  constexpr mode_t kAsTheUmaskSays = 0777;
  std::filesystem::path path(folder);
  if (!path.has_filename()) path = path.parent_path();  // it ended with a slash
  if (path.empty() || path == path.root_path()) return Status::ok();
  const std::string name = path.string();
  struct stat info {};
  const bool there = ::stat(name.c_str(), &info) == 0;
  if (there && !S_ISDIR(info.st_mode)) return io_failure("cannot make folder", name, ENOTDIR);
  if (!there) {
    if (Status above = make_folder_of(name); !above.is_ok()) return above;
    if (::mkdir(name.c_str(), kAsTheUmaskSays) != 0 && errno != EEXIST) {
      return io_failure("cannot make folder", name, errno);
    }
  }
  if (mutant("folders.unsynced")) return Status::ok();
  return there ? sync_name_that_was_there(name) : sync_folder_of(name);
}

Status make_folder_of(const std::string& path) {
  return make_folder(std::filesystem::path(path).parent_path().string());
}

}  // namespace huiliu::runtime
