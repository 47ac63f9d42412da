#include "runtime/base/paths.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

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

}  // namespace huiliu::runtime
