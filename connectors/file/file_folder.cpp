#include "connectors/file/file_folder.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/encoding.h"
#include "runtime/base/paths.h"

namespace huiliu::connectors {

using runtime::ReadResult;
using runtime::Status;
namespace fs = std::filesystem;

namespace {

/// With `watch`, so many looks may find a file unreadable before it is refused: whoever puts it
/// there may not be done with its rights.
constexpr int kLooksBeforeReport = 3;

/// A name in whatever bytes, as text that every output can hold: GB18030 is converted, as old
/// archives have it; of other bytes the numbers are shown.
std::string as_text(const std::string& name) {
  if (formats::is_valid_utf8(name)) return name;
  std::string text;
  formats::Gb18030Converter gb;
  if (gb.append_utf8(name, text).ok() && formats::is_valid_utf8(text)) return text;
  text.clear();
  for (std::string_view rest = name; !rest.empty();) {
    const std::size_t good = formats::valid_utf8_prefix(rest);
    text.append(rest.substr(0, good));
    rest.remove_prefix(good);
    if (rest.empty()) break;
    text += fmt::format("\\x{:02X}", static_cast<unsigned char>(rest.front()));
    rest.remove_prefix(1);
  }
  return text;
}

/// Not the file's fault: it is tried again.
bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EINTR || error == EAGAIN;
}

}  // namespace

Status FileFolder::open(const runtime::SourceContext& context, FileReports& reports) {
  if (opened_ms_ < 0) opened_ms_ = context.clock->steady_ms();
  context_ = context;
  path_ = runtime::resolve_path(context.base_folder, options_.path);
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  codecs::FileProblem missing;
  if (look(missing, reports)) return Status::ok();
  if (options_.watch) {
    spdlog::warn("{}: {}: {}; it is waited for", context.node_name, path_, missing.en);
    return Status::ok();
  }
  const std::string text = fmt::format("{}: {}", path_, missing.en);
  if (context.clock->steady_ms() - opened_ms_ < options_.wait_ms) return Status::unavailable(text);
  return Status::invalid(text + ". Name an existing file, folder or glob, or set `wait:`.");
}

ReadResult FileFolder::look_again(FileReports& reports) {
  if (context_.clock->steady_ms() - looked_ms_ < options_.poll_ms) return ReadResult::kIdle;
  codecs::FileProblem missing;
  if (look(missing, reports)) return waiting_.empty() ? ReadResult::kIdle : ReadResult::kSlice;
  spdlog::warn("{}: {}: {}", context_.node_name, path_, missing.en);
  return ReadResult::kRetry;
}

bool FileFolder::look(codecs::FileProblem& missing, FileReports& reports) {
  looked_ms_ = context_.clock->steady_ms();
  root_ = root_of(path_);
  Listing listing = list_files(path_, options_);
  if (listing.missing) {
    missing = *listing.missing;
    return false;
  }
  forget_what_is_gone(listing, reports);
  for (const LeftOut& one : listing.left_out) {
    left_.insert(one.path);
    const bool later = options_.watch && ++failures_[one.path] < kLooksBeforeReport;
    reports.left_out(name_of(one.path), one.why, later);
  }
  for (const LeftOut& one : listing.not_yet) {
    left_.insert(one.path);
    reports.left_out(name_of(one.path), one.why, true);
  }
  for (const std::string& path : listing.unclaimed) reports.unclaimed(name_of(path));
  say_if_empty(listing);
  waiting_.clear();
  for (FoundFile& file : listing.files) {
    const auto handled = handled_.find(file.path);
    if (handled != handled_.end() && handled->second == stamp_of(file)) continue;
    if (!settled(file)) continue;
    waiting_.push_back(std::move(file.path));
    bytes_ += static_cast<std::uint64_t>(file.size);
  }
  announce_splits();
  return true;
}

// Files that are followed are looked beside, so those which wait no more may still be read.
void FileFolder::announce_splits() {
  if (!options_.append) {
    const std::set<std::string_view> waiting(waiting_.begin(), waiting_.end());
    std::vector<std::string> gone;
    for (const auto& [path, split] : splits_) {
      if (!waiting.contains(path)) gone.push_back(path);
    }
    for (const std::string& path : gone) end_split(path);
  }
  for (const std::string& path : waiting_) {
    if (splits_.contains(path)) continue;
    splits_[path] = context_.splits->announce({.key = name_of(path), .live = options_.append});
  }
}

runtime::SplitId FileFolder::split_of(const std::string& path) const {
  const auto found = splits_.find(path);
  return found == splits_.end() ? runtime::kNoSplit : found->second;
}

void FileFolder::end_split(const std::string& path) {
  const auto found = splits_.find(path);
  if (found == splits_.end()) return;
  context_.splits->end(found->second);
  splits_.erase(found);
}

/// What is no longer there is left out no longer, and needs no memory.
void FileFolder::forget_what_is_gone(const Listing& listing, FileReports& reports) {
  const auto is_among = [](const auto& files, const std::string& path) {
    const auto at =
        std::lower_bound(files.begin(), files.end(), path,
                         [](const auto& file, const std::string& p) { return file.path < p; });
    return at != files.end() && at->path == path;
  };
  const auto is_gone = [&](const auto& entry) { return !is_among(listing.files, entry.first); };
  for (auto at = left_.begin(); at != left_.end();) {
    if (is_among(listing.left_out, *at) || is_among(listing.not_yet, *at) ||
        is_among(listing.files, *at)) {
      ++at;
      continue;
    }
    reports.is_read(name_of(*at));
    failures_.erase(*at);
    at = left_.erase(at);
  }
  if (handled_.size() > listing.files.size()) std::erase_if(handled_, is_gone);
  if (seen_.size() > listing.files.size()) std::erase_if(seen_, is_gone);
}

void FileFolder::say_if_empty(const Listing& listing) {
  if (said_empty_ || !listing.files.empty() || !listing.not_yet.empty()) return;
  said_empty_ = true;
  const std::string patterns =
      options_.patterns.empty()
          ? ""
          : fmt::format(" that the pattern fits ({})", fmt::join(options_.patterns, ", "));
  spdlog::warn("{}: there is no file in {}{}", context_.node_name, path_, patterns);
}

/// Whether nobody writes the file any more: without `watch`, and of files that grow, everything
/// counts as settled.
bool FileFolder::settled(const FoundFile& file) {
  if (!options_.watch || options_.append) return true;
  const Seen now{stamp_of(file), context_.clock->steady_ms()};
  const auto [at, first] = seen_.try_emplace(file.path, now);
  const bool same = !first && at->second.stamp == now.stamp;
  if (!same) at->second = now;
  // The sender's clock may be ahead.
  const std::int64_t quiet_ms = std::max(context_.clock->now_ms() - file.modified_ns / 1'000'000,
                                         now.since_ms - at->second.since_ms);
  if (!same && quiet_ms <= options_.poll_ms) return false;
  return quiet_ms > options_.last_line_ms || !ends_within_a_line(file.path);
}

/// A text whose last line has no end yet. Workbooks have no lines.
bool FileFolder::ends_within_a_line(const std::string& path) const {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char head[2] = {}, last = '\n';
  struct stat info {};
  const bool read = ::pread(fd, head, sizeof head, 0) == sizeof head && ::fstat(fd, &info) == 0 &&
                    ::pread(fd, &last, 1, info.st_size - 1) == 1;
  ::close(fd);
  const bool table = (head[0] == 'P' && head[1] == 'K') || head[0] == '\xD0';
  return read && !table && last != '\n' && last != '\r' && last != '\0' && last != '\x1A';
}

ReadResult FileFolder::open_file(const std::string& path, int& fd, std::optional<FoundFile>& found,
                                 FileReports& reports) {
  // A pipe that was put in the file's place meanwhile must not hold everything up.
  fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) found = file_of(fd, path);
  if (found) {
    failures_.erase(path);
    left_.erase(path);
    // It was settled as it was when the folder was listed.
    const auto seen = seen_.find(path);
    if (options_.watch && seen != seen_.end() && seen->second.stamp != stamp_of(*found)) {
      ::close(fd);
      return ReadResult::kEnd;
    }
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return ReadResult::kSlice;
  }
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (is_shortage(error)) {
    spdlog::warn("{}: cannot open {}: {}; tried again", context_.node_name, path,
                 problem_of(error).en);
    return ReadResult::kRetry;
  }
  fail(path, error, reports);
  return ReadResult::kEnd;
}

void FileFolder::fail(const std::string& path, int error, FileReports& reports) {
  const bool later = options_.watch && ++failures_[path] < kLooksBeforeReport;
  left_.insert(path);
  // With `watch` a file that was taken away before its turn is looked for no more.
  if (options_.watch && error == ENOENT) failures_.erase(path);
  reports.left_out(name_of(path), problem_of(error), later);
}

std::string FileFolder::name_of(const std::string& path) const {
  if (path.size() > root_.size() + 1 && path.starts_with(root_) && path[root_.size()] == '/') {
    return as_text(path.substr(root_.size() + 1));
  }
  return as_text(fs::path(path).filename().string());
}

}  // namespace huiliu::connectors
