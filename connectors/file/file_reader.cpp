#include "connectors/file/file_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <glob.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/append_file.h"
#include "connectors/file/file_cursor.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using runtime::SourceContext;
using runtime::Status;
namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "file:";

class FileReader final : public runtime::SourceReader {
 public:
  explicit FileReader(FileOptions options) : options_(std::move(options)) {}

  Status open(const SourceContext& context) override {
    if (opened_ms_ < 0) opened_ms_ = context.clock->steady_ms();
    context_ = context;
    path_ = resolve_path(context.base_folder, options_.path);
    positions_.clear();
    for (const auto& [key, value] : context.positions) {
      auto position = FilePosition::parse(value);
      if (!key.starts_with(kPrefix)) continue;
      if (!position) return Status::corrupt("position " + key + " cannot be read: " + value);
      positions_[key] = std::move(*position);
    }
    std::string why;
    if (scan(why) || options_.watch) return Status::ok();
    const std::string text = fmt::format("{}: {}", path_, why);
    if (context.clock->steady_ms() - opened_ms_ < options_.wait_ms)
      return Status::unavailable(text);
    return Status::invalid(text + ". Name an existing file, folder or glob, or set `wait:`.");
  }

  ReadResult read(Slice& slice) override {
    for (;;) {
      if (current_) {
        if (current_->read(slice, context_.slice_bytes)) return give(slice);
        if (!current_->position().done) continue;
        end_file();
        if (finished_empty_) return note_end(slice);
      }
      if (waiting_.empty()) {
        if (!options_.watch) return ReadResult::kEnd;
        const std::int64_t now = context_.clock->steady_ms();
        if (now - scanned_ms_ < options_.poll_ms) return ReadResult::kIdle;
        std::string why;
        if (!scan(why)) {
          spdlog::warn("{}: {}: {}", context_.node_name, path_, why);
          return ReadResult::kRetry;
        }
        if (waiting_.empty()) return ReadResult::kIdle;
      }
      const std::string path = waiting_.front();
      const ReadResult started = start(path);
      if (started == ReadResult::kRetry) return started;
      waiting_.pop_front();
    }
  }

  std::pair<std::uint64_t, std::uint64_t> progress() const override {
    return {bytes_done_, bytes_all_};
  }

 private:
  ReadResult give(Slice& slice) {
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    const FilePosition& position = current_->position();
    slice.positions.emplace_back(current_->key(), position.to_text());
    positions_[current_->key()] = position;
    bytes_done_ += slice.bytes.size();
    given_done_ = position.done;
    return ReadResult::kSlice;
  }

  /// The file's end was found without a last row: that must be remembered as well.
  ReadResult note_end(Slice& slice) {
    slice.bytes.clear();
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    slice.positions.emplace_back(ended_key_, positions_[ended_key_].to_text());
    slice.format = static_cast<std::uint32_t>(SliceFormat::kNdjson);
    slice.detail = make_layout(options_, *partition_);
    finished_empty_ = false;
    return ReadResult::kSlice;
  }

  void end_file() {
    const FilePosition& position = current_->position();
    struct stat info {};
    if (::stat(position.path.c_str(), &info) == 0 &&
        (static_cast<std::uint64_t>(info.st_size) != position.size ||
         modified_ns(info) != position.modified_ns)) {
      spdlog::error("{}: changed while it was read; {} bytes of it were taken", current_->name(),
                    position.offset);
    }
    finished_empty_ = !given_done_;
    ended_key_ = current_->key();
    positions_[ended_key_] = position;
    spdlog::info("{}: {} rows read", current_->name(), position.rows);
    current_.reset();
  }

  static std::int64_t modified_ns(const struct stat& info) {
    return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  }

  bool matches(const fs::path& file) const {
    const std::string name = file.filename().string();
    if (name.starts_with('.')) return false;
    if (options_.patterns.empty()) return true;
    const std::string relative = file.lexically_relative(path_).string();
    return std::any_of(
        options_.patterns.begin(), options_.patterns.end(), [&](const std::string& glob) {
          const std::string& subject = glob.find('/') == std::string::npos ? name : relative;
          return ::fnmatch(glob.c_str(), subject.c_str(), 0) == 0;
        });
  }

  bool list(std::vector<std::string>& found, std::string& why) const {
    std::error_code error;
    if (path_.find_first_of("*?[") != std::string::npos && !fs::exists(path_, error)) {
      glob_t result{};
      const int code = ::glob(path_.c_str(), 0, nullptr, &result);
      for (std::size_t i = 0; code == 0 && i < result.gl_pathc; ++i) {
        found.emplace_back(result.gl_pathv[i]);
      }
      ::globfree(&result);
      if (code != 0) why = "no file matches";
      return code == 0;
    }
    const fs::file_status status = fs::status(path_, error);
    if (!fs::exists(status)) {
      why = error ? error.message() : "does not exist";
      return false;
    }
    if (!fs::is_directory(status)) {
      found.push_back(path_);
      return true;
    }
    fs::recursive_directory_iterator at(path_, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (at->is_regular_file(error) && matches(at->path())) found.push_back(at->path().string());
    }
    if (error) why = error.message();
    return !error;
  }

  /// Whether a file seen before is unchanged; without watch every file counts as settled.
  bool settled(const std::string& path, const struct stat& info) {
    if (!options_.watch) return true;
    const auto seen = std::make_pair(static_cast<std::int64_t>(info.st_size), modified_ns(info));
    const auto [at, first] = seen_.try_emplace(path, seen);
    const bool same = !first && at->second == seen;
    at->second = seen;
    return same || context_.clock->now_ms() - modified_ns(info) / 1'000'000 > options_.poll_ms;
  }

  bool scan(std::string& why) {
    scanned_ms_ = context_.clock->steady_ms();
    std::vector<std::string> found;
    if (!list(found, why)) return false;
    std::sort(found.begin(), found.end());
    waiting_.clear();
    for (const std::string& path : found) {
      struct stat info {};
      if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      const auto handled = handled_.find(path);
      const auto stamp = std::make_pair(static_cast<std::int64_t>(info.st_size), modified_ns(info));
      if (handled != handled_.end() && handled->second == stamp) continue;
      if (!settled(path, info)) continue;
      waiting_.push_back(path);
      if (waiting_.size() == 1 && bytes_all_ == bytes_done_) bytes_all_ = bytes_done_;
      bytes_all_ += static_cast<std::uint64_t>(info.st_size);
    }
    return true;
  }

  /// Relative to the source's folder: short for people, and the same on every machine.
  std::string name_of(const std::string& path) const {
    std::error_code error;
    const fs::path file(path);
    if (!fs::is_directory(path_, error)) return file.filename().string();
    return file.lexically_normal().lexically_relative(fs::path(path_).lexically_normal()).string();
  }

  /// Opens a file, or recognises it. kEnd: nothing to read in it.
  ReadResult start(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd < 0 || ::fstat(fd, &info) != 0) {
      spdlog::warn("{}: cannot open {}: {}; tried again", context_.node_name, path,
                   std::strerror(errno));
      if (fd >= 0) ::close(fd);
      return ReadResult::kRetry;
    }
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    FilePosition fresh;
    fresh.size = static_cast<std::uint64_t>(info.st_size);
    fresh.modified_ns = modified_ns(info);
    fresh.path = path;
    const auto quick = quick_hash(fd, fresh.size);
    if (!quick) {
      ::close(fd);
      spdlog::warn("{}: cannot read {}; tried again", context_.node_name, path);
      return ReadResult::kRetry;
    }
    handled_[path] = {static_cast<std::int64_t>(info.st_size), fresh.modified_ns};
    std::string key = std::string(kPrefix) + *quick;
    for (int copy = 2;; ++copy) {
      const auto known = positions_.find(key);
      if (known == positions_.end()) break;
      if (!known->second.done) {
        if (resume(fd, path, key, known->second)) return ReadResult::kSlice;
      } else if (is_same(fd, fresh, known->second)) {
        ::close(fd);
        return ReadResult::kEnd;
      }
      // Alike at both ends, different within.
      key = fmt::format("{}{}.{}", kPrefix, *quick, copy);
    }
    report_changed(path, key);
    begin(fd, path, key, fresh);
    return ReadResult::kSlice;
  }

  bool is_same(int fd, const FilePosition& fresh, const FilePosition& known) {
    const bool untouched = known.path == fresh.path && known.modified_ns == fresh.modified_ns;
    if (untouched) {
      bytes_done_ += fresh.size;
      return true;
    }
    ContentHash hash;
    if (hash_prefix(fd, fresh.size, hash) != known.digest) return false;
    bytes_done_ += fresh.size;
    ++redelivered_;
    spdlog::info("{}: delivered again, same content as {}; not read again ({} so far)",
                 name_of(fresh.path), name_of(known.path), redelivered_);
    return true;
  }

  bool resume(int fd, const std::string& path, const std::string& key, FilePosition position) {
    position.path = path;
    auto cursor = std::make_unique<FileCursor>(
        options_, FileCursor::Place{::dup(fd), path, name_of(path), key}, position);
    if (!cursor->open()) return false;
    ::close(fd);
    bytes_done_ += position.offset;
    take(std::move(cursor), key);
    return true;
  }

  void begin(int fd, const std::string& path, const std::string& key,
             const FilePosition& position) {
    auto cursor = std::make_unique<FileCursor>(
        options_, FileCursor::Place{fd, path, name_of(path), key}, position);
    cursor->open();
    take(std::move(cursor), key);
  }

  void take(std::unique_ptr<FileCursor> cursor, const std::string& key) {
    partition_ = context_.intern(cursor->name());
    partition_hash_ = hash_of_name(key);
    given_done_ = false;
    current_ = std::move(cursor);
  }

  void report_changed(const std::string& path, const std::string& key) {
    for (auto& [other, position] : positions_) {
      if (other == key || position.path != path || position.done) continue;
      spdlog::error(
          "{}: changed after {} rows of it were read; the new content is read from its start",
          name_of(path), position.rows);
    }
  }

  FileOptions options_;
  SourceContext context_;
  std::string path_;
  std::map<std::string, FilePosition> positions_;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> seen_;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> handled_;
  std::deque<std::string> waiting_;
  std::unique_ptr<FileCursor> current_;
  const std::string* partition_ = nullptr;
  std::uint64_t partition_hash_ = 0;
  std::string ended_key_;
  bool given_done_ = false;
  bool finished_empty_ = false;
  std::int64_t opened_ms_ = -1;
  std::int64_t scanned_ms_ = 0;
  std::uint64_t bytes_done_ = 0;
  std::uint64_t bytes_all_ = 0;
  std::uint64_t redelivered_ = 0;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_file_reader(FileOptions options) {
  return std::make_unique<FileReader>(std::move(options));
}

}  // namespace huiliu::connectors
