#include "connectors/file/append_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/failpoint.h"
#include "runtime/base/paths.h"

namespace huiliu::connectors {

using runtime::Status;

namespace {
constexpr std::size_t kBuffer = 256 << 10;
constexpr std::uint64_t kWriteback = 4 << 20;
}  // namespace

runtime::Result<bool> fits_length(const std::string& path, std::uint64_t committed) {
  std::error_code error;
  const std::uint64_t length = std::filesystem::file_size(path, error);
  if (error) return false;
  if (length == committed) return true;
  return Status::invalid(fmt::format(
      "{} has {} bytes, the snapshot knows of {}: what {} would be done twice or be missing. "
      "{}write to another path, or move the file away to start a new one",
      path, length, committed, length > committed ? "came since" : "is gone",
      length > committed ? "Take a snapshot of the topology as it is now, " : ""));
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status AppendFile::failed(const char* what) const {
  return runtime::io_failure(what, path_, errno);
}

Status AppendFile::claim(bool overwrite) {
  struct stat info {};
  const bool exists = ::stat(path_.c_str(), &info) == 0 && info.st_size > 0;
  const bool ours = ::access(claim_.c_str(), F_OK) == 0;
  if (exists && !ours && !overwrite) {
    return Status::invalid(fmt::format(
        "{} exists and was not written by this topology's state. Move it away, name another path, "
        "or set `overwrite: true`.",
        path_));
  }
  if (ours) return Status::ok();
  const int fd = ::open(claim_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0) return runtime::io_failure("cannot create", claim_, errno);
  ::close(fd);
  return runtime::sync_folder_of(path_);
}

Status AppendFile::cut_back(std::uint64_t length) {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return failed("cannot look at");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < length) {
    return Status::corrupt(fmt::format(
        "{} has {} bytes, but {} were committed: it was changed or replaced. Put the file back as "
        "it was, or start afresh with an empty state folder.",
        path_, size, length));
  }
  written_ = length;
  handed_over_ = length;
  if (runtime::mutant("file.no_truncate")) {
    written_ = size;
    return Status::ok();
  }
  if (size > length) {
    if (::ftruncate(fd_, static_cast<off_t>(length)) != 0) return failed("cannot cut back");
    dirty_ = true;
  }
  return Status::ok();
}

Status AppendFile::open(const std::string& path, std::optional<std::uint64_t> committed_length,
                        bool overwrite) {
  path_ = path;
  buffer_.clear();
  const std::filesystem::path name(path);
  claim_ = (name.parent_path() / ("." + name.filename().string() + ".uncommitted")).string();
  if (Status made = runtime::make_folder_of(path); !made.is_ok()) return made;
  if (!committed_length) {
    if (Status status = claim(overwrite); !status.is_ok()) return status;
  }
  if (fd_ >= 0) ::close(fd_);
  const int create = committed_length.value_or(0) == 0 ? O_CREAT : 0;
  fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | create, 0644);
  if (fd_ < 0 && errno == ENOENT) {
    return Status::corrupt(fmt::format(
        "{} is gone, but {} bytes of it were committed. Put the file back, or start afresh with "
        "an empty state folder.",
        path, *committed_length));
  }
  if (fd_ < 0) return failed("cannot open");
  if (Status status = cut_back(committed_length.value_or(0)); !status.is_ok()) return status;
  return runtime::sync_folder_of(path);
}

Status AppendFile::write_at_end(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(written_));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return failed("cannot write");
    written_ += static_cast<std::uint64_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    dirty_ = true;
  }
  start_writeback();
  return Status::ok();
}

// Otherwise the sync at the epoch's end has the whole epoch to write. A hint: it needs no check.
void AppendFile::start_writeback() {
  if (written_ - handed_over_ < kWriteback) return;
  ::sync_file_range(fd_, static_cast<off_t>(handed_over_),
                    static_cast<off_t>(written_ - handed_over_), SYNC_FILE_RANGE_WRITE);
  handed_over_ = written_;
}

Status AppendFile::flush() {
  // What a failed write left over stays in the buffer and is tried again.
  const std::uint64_t before = written_;
  Status status = write_at_end(buffer_);
  buffer_.erase(0, static_cast<std::size_t>(written_ - before));
  return status;
}

Status AppendFile::append(std::string_view bytes) {
  if (buffer_.size() >= kBuffer) {
    if (Status status = flush(); !status.is_ok()) return status;
  }
  // From here on nothing fails, so that a caller may repeat a failed call: what cannot be written
  // now stays in the buffer.
  if (buffer_.empty() && bytes.size() >= kBuffer) {
    const std::uint64_t before = written_;
    if (write_at_end(bytes).is_ok()) return Status::ok();
    bytes.remove_prefix(static_cast<std::size_t>(written_ - before));
  }
  buffer_.append(bytes);
  return Status::ok();
}

Status AppendFile::sync() {
  if (Status status = flush(); !status.is_ok()) return status;
  if (!dirty_) return Status::ok();
  runtime::failpoint("file.before_sync");
  if (!runtime::mutant("file.unsynced") && ::fdatasync(fd_) != 0) {
    // After a failed sync the kernel may drop what was written and report success the next time:
    // only a new start, from the committed length, is safe.
    return Status::fatal(fmt::format("cannot sync {}: {}", path_, std::strerror(errno)));
  }
  runtime::failpoint("file.after_sync");
  dirty_ = false;
  return Status::ok();
}

void AppendFile::committed() {
  if (claim_.empty()) return;
  ::unlink(claim_.c_str());
  claim_.clear();
}

Status AppendFile::close() {
  if (fd_ < 0) return Status::ok();
  Status status = sync();
  ::close(fd_);
  fd_ = -1;
  return status;
}

}  // namespace huiliu::connectors
