#include "connectors/file/committed_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/failpoint.h"

namespace huiliu::connectors {

using runtime::Status;

namespace {

Status failed(const char* what, const std::string& path) {
  return Status::unavailable(fmt::format("cannot {} '{}': {}", what, path, std::strerror(errno)));
}

}  // namespace

CommittedFile::~CommittedFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status CommittedFile::open(const std::string& path, std::uint64_t length, bool ours,
                           bool overwrite) {
  path_ = path;
  const auto parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return Status::unavailable("cannot make " + parent.string() + ": " + error.message());
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) return failed("open", path);
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return failed("look at", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (!ours && size > 0 && !overwrite) {
    return Status::invalid("'" + path +
                           "' exists and is not this state's: move it away, use the state folder "
                           "that wrote it, or set `overwrite: true`");
  }
  if (size < length) {
    return Status::corrupt(fmt::format(
        "'{}' has {} bytes but {} were committed: it was changed from outside; restore it, or "
        "remove both it and the state folder",
        path, size, length));
  }
  if (!runtime::mutant("file.no_truncate") && ::ftruncate(fd_, static_cast<off_t>(length)) != 0) {
    return failed("cut back", path);
  }
  length_ = runtime::mutant("file.no_truncate") ? size : length;
  synced_ = length_;
  // The file's name must survive a power cut too.
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
  return Status::ok();
}

Status CommittedFile::append(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote =
        ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(length_ + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failed("write", path_);
    done += static_cast<std::size_t>(wrote);
  }
  length_ += bytes.size();
  return Status::ok();
}

Status CommittedFile::sync() {
  if (synced_ == length_) return Status::ok();
  runtime::failpoint("file.before_sync");
  if (::fdatasync(fd_) != 0) return failed("sync", path_);
  runtime::failpoint("file.after_sync");
  synced_ = length_;
  return Status::ok();
}

}  // namespace huiliu::connectors
