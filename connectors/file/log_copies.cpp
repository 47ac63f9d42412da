#include "connectors/file/log_copies.h"

#include <algorithm>

#include <fcntl.h>
#include <unistd.h>

#include "codecs/files/content_hash.h"

namespace huiliu::connectors {
namespace {

constexpr std::uint64_t kFirst = 256;  ///< of a file's beginning, by which others are looked up
constexpr std::uint64_t kHead = 1024;  ///< is compared before the whole

/// Whether all of a file is what the file at `path` begins with.
bool begins_at(const std::string& path, int fd, const FoundFile& file) {
  const int other = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (other < 0) return false;
  const auto now = file_of(other, path);
  const auto size = static_cast<std::uint64_t>(file.size);
  const bool another = now && (now->device != file.device || now->inode != file.inode);
  bool same = another && now->size >= file.size;
  for (const std::uint64_t part : {std::min(kHead, size), size}) {
    codecs::ContentHash here, there;
    same = same && codecs::hash_prefix(other, part, there) == codecs::hash_prefix(fd, part, here);
  }
  ::close(other);
  return same;
}

}  // namespace

std::string bytes_at(int fd, std::uint64_t offset, std::uint64_t size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

void LogCopies::clear() {
  firsts_.clear();
  begins_.clear();
  held_.clear();
}

void LogCopies::note(int fd, const std::string& path) {
  std::string first = bytes_at(fd, 0, kFirst);
  std::string& known = firsts_[path];
  begins_.erase({known, path});
  known = first;
  begins_.emplace(std::move(first), path);
}

bool LogCopies::is_like_another(int fd, const FoundFile& file) const {
  const auto known = firsts_.find(file.path);
  if (known == firsts_.end()) return false;
  const std::string& first = known->second;
  for (auto at = begins_.lower_bound({first, ""});
       at != begins_.end() && at->first.starts_with(first); ++at) {
    if (at->second != file.path && begins_at(at->second, fd, file)) return true;
  }
  return false;
}

bool LogCopies::may_be_one(int fd, const FoundFile& file, std::int64_t now_ms,
                           std::int64_t most_ms) {
  if (is_like_another(fd, file)) {
    Held& held = held_[file.path];
    if (held.size != file.size) held = {file.size, now_ms};
    if (now_ms - held.since_ms < most_ms) return true;
  }
  held_.erase(file.path);
  return false;
}

}  // namespace huiliu::connectors
