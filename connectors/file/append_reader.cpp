#include "connectors/file/append_reader.h"

#include <algorithm>
#include <cerrno>
#include <list>
#include <map>
#include <set>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/files/file_cursor.h"
#include "connectors/file/append_file.h"
#include "connectors/file/file_folder.h"
#include "connectors/file/file_reports.h"
#include "connectors/file/log_copies.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using runtime::SourceContext;
using runtime::Status;

constexpr std::string_view kPrefix = "file:append-";
constexpr std::uint64_t kMostHead = 1024;  ///< of a file's beginning, which it is known by
constexpr std::size_t kMostOpen = 256;     ///< files that are followed with an open descriptor
constexpr std::uint64_t kMostEnd = 256;    ///< of what was read last, to see that it is there still

/// "file:append-SIZE-HASH" of a file's first bytes; nothing if it has not so many.
std::optional<std::string> head_key(int fd, std::uint64_t size) {
  codecs::ContentHash hash;
  const auto digest = codecs::hash_prefix(fd, size, hash);
  if (!digest) return std::nullopt;
  return fmt::format("{}{}-{}", kPrefix, size, *digest);
}

/// The size in such a key; 0 if it is none.
std::uint64_t head_size(std::string_view key) {
  if (!key.starts_with(kPrefix)) return 0;
  return std::strtoull(std::string(key.substr(kPrefix.size())).c_str(), nullptr, 10);
}

std::string bytes_before(int fd, std::uint64_t offset) {
  const std::uint64_t size = std::min(kMostEnd, offset);
  return bytes_at(fd, offset - size, size);
}

class AppendReader final : public runtime::SourceReader {
 public:
  explicit AppendReader(codecs::FileOptions options)
      : options_(std::move(options)), folder_(options_), reports_(options_) {}

  Status open(const SourceContext& context) override {
    context_ = context;
    reports_.open(context);
    positions_.clear();
    heads_.clear();
    tails_.clear();
    copies_.clear();
    current_ = nullptr;
    auto known = codecs::read_positions(context.positions, kPrefix);
    if (!known.is_ok()) return known.status();
    for (auto& [key, position] : *known) {
      if (head_size(key) == 0) continue;
      note_beginning(position.path);
      remember(key, std::move(position));
    }
    return folder_.open(context, reports_);
  }

  ReadResult read(Slice& slice) override {
    for (;;) {
      if (reports_.give(slice)) return ReadResult::kSlice;
      if (current_ != nullptr) {
        if (current_->cursor->read(slice, context_.slice_bytes)) return give(slice);
        end_reading();
        continue;
      }
      if (find_grown()) continue;
      if (reports_.give_rest(slice)) return ReadResult::kSlice;
      if (folder_.empty()) {
        if (!options_.watch) return ReadResult::kEnd;
        const ReadResult looked = folder_.look_again(reports_);
        if (looked != ReadResult::kSlice) return looked;
        continue;
      }
      const std::string path = folder_.front();
      if (start(path) == ReadResult::kRetry) return ReadResult::kRetry;
      if (!is_tail(path)) folder_.end_split(path);
      folder_.pop();
    }
  }

  bool has_splits() const override { return true; }
  bool is_bounded() const override { return !options_.watch; }

 private:
  /// A file that is followed. Its open descriptor leads to it under whatever name.
  struct Tail {
    std::unique_ptr<codecs::FileCursor> cursor;
    std::uint64_t device = 0, inode = 0;
    std::string end;   ///< what was read last
    std::string path;  ///< where it was found
  };

  void note_beginning(const std::string& path) {
    if (copies_.knows(path)) return;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return;
    copies_.note(fd, path);
    ::close(fd);
  }

  void remember(const std::string& key, codecs::FilePosition position) {
    heads_.insert(head_size(key));
    positions_[key] = std::move(position);
  }

  ReadResult give(Slice& slice) {
    const codecs::FileCursor& cursor = *current_->cursor;
    current_->end = bytes_before(cursor.descriptor(), cursor.position().offset);
    slice.partition = context_.intern(cursor.name());
    slice.split = folder_.split_of(current_->path);
    slice.partition_hash = codecs::hash_of_name(cursor.key());
    reports_.give_with(slice);
    slice.positions.emplace_back(cursor.key(), cursor.position().to_text());
    remember(cursor.key(), cursor.position());
    return ReadResult::kSlice;
  }

  /// The end for now. What was refused as a whole is followed no further.
  void end_reading() {
    const codecs::FilePosition& position = current_->cursor->position();
    const std::uint64_t held = position.size - std::min(position.size, position.offset);
    if (held > 0 && !options_.watch && !position.done) {
      spdlog::info("{}: the last {} bytes have no line end yet and are held back",
                   current_->cursor->name(), held);
    }
    current_ = nullptr;
    while (tails_.size() > kMostOpen) {
      folder_.end_split(tails_.back().path);
      tails_.pop_back();
    }
  }

  /// Looks at the files that are followed; true if one has more to read.
  bool find_grown() {
    for (auto at = tails_.begin(); at != tails_.end();) {
      struct stat now {};
      const bool there = ::fstat(at->cursor->descriptor(), &now) == 0;
      const auto size = static_cast<std::uint64_t>(now.st_size);
      const std::uint64_t known = at->cursor->position().size;
      if (there && size > known && is_as_read(*at)) {
        at->cursor->grow(size);
        if (known < kMostHead) copies_.note(at->cursor->descriptor(), at->path);
        current_ = &*at;
        return true;
      }
      if (there && size == known && now.st_nlink > 0) {
        ++at;
        continue;
      }
      // Emptied to be begun anew, even if it has grown beyond its old size since, and from here on
      // another file; or removed, and read to its end.
      folder_.forget(at->cursor->position().path);
      folder_.end_split(at->path);
      at = tails_.erase(at);
    }
    return false;
  }

  static bool is_as_read(const Tail& tail) {
    return bytes_before(tail.cursor->descriptor(), tail.cursor->position().offset) == tail.end;
  }

  bool is_tail(const std::string& path) const {
    return std::any_of(tails_.begin(), tails_.end(),
                       [&](const Tail& tail) { return tail.path == path; });
  }

  bool is_followed(const FoundFile& file) const {
    return std::any_of(tails_.begin(), tails_.end(), [&](const Tail& tail) {
      return tail.device == file.device && tail.inode == file.inode;
    });
  }

  ReadResult start(const std::string& path) {
    int fd = -1;
    std::optional<FoundFile> found;
    if (const ReadResult opened = folder_.open_file(path, fd, found, reports_);
        opened != ReadResult::kSlice) {
      return opened;
    }
    reports_.is_read(folder_.name_of(path));
    folder_.handled(*found);
    copies_.note(fd, path);
    if (is_followed(*found) || !has_line(fd, static_cast<std::uint64_t>(found->size))) {
      ::close(fd);
      return ReadResult::kEnd;
    }
    const std::vector<std::string> known = keys_of(fd, *found);
    if (resume(fd, *found, known, true)) return ReadResult::kSlice;
    // Before the question whether what was read lies elsewhere still: it may be emptied right now.
    if (options_.watch &&
        copies_.may_be_one(fd, *found, context_.clock->steady_ms(), options_.last_line_ms)) {
      folder_.forget(path);
      ::close(fd);
      return ReadResult::kEnd;
    }
    if (!resume(fd, *found, known, false)) begin(fd, *found);
    return ReadResult::kSlice;
  }

  /// Without a whole line nobody knows what the file begins with.
  static bool has_line(int fd, std::uint64_t size) {
    std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(size, 64 << 10)), '\0');
    const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
    return got > 0 && (head.find('\n') != std::string::npos || head.size() == 64 << 10);
  }

  /// Of what was read before and is what the file begins with; what more was read of comes first.
  std::vector<std::string> keys_of(int fd, const FoundFile& found) {
    const auto size = static_cast<std::uint64_t>(found.size);
    std::vector<std::string> keys;
    std::set<std::uint64_t> offsets;
    for (const std::uint64_t head : heads_) {
      if (head > size) break;
      const auto first = head_key(fd, head);
      if (!first) continue;
      // Numbers behind it may be missing: not every file that was begun had a row.
      for (auto at = positions_.lower_bound(*first);
           at != positions_.end() && at->first.starts_with(*first); ++at) {
        if (at->second.offset > size) continue;
        keys.push_back(at->first);
        offsets.insert(at->second.offset);
      }
    }
    const auto digests = codecs::hash_prefixes(fd, offsets);
    std::erase_if(keys, [&](const std::string& key) {
      const codecs::FilePosition& position = positions_[key];
      const auto digest = digests.find(position.offset);
      return position.offset > 0 && (digest == digests.end() || digest->second != position.digest);
    });
    std::stable_sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
      return positions_[a].offset > positions_[b].offset;
    });
    return keys;
  }

  /// Goes on in a file that was read before, under this name or another.
  bool resume(int fd, const FoundFile& found, const std::vector<std::string>& keys,
              bool under_this_name) {
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
      return (positions_[key].path == found.path) == under_this_name && resume_as(fd, found, key);
    });
  }

  bool resume_as(int fd, const FoundFile& found, const std::string& key) {
    codecs::FilePosition position = positions_[key];
    if (position.path != found.path && is_still_there(position)) return false;
    // It was refused as a whole, and said to be.
    if (position.done) {
      ::close(fd);
      return true;
    }
    const std::string path = position.path;
    position.size = static_cast<std::uint64_t>(found.size);
    position.done = false;
    auto cursor = std::make_unique<codecs::FileCursor>(
        options_, codecs::FileCursor::Place{::dup(fd), path, folder_.name_of(path), key}, position);
    if (!cursor->open()) return false;
    ::close(fd);
    if (path != found.path) {
      spdlog::info("{}: is what was read as {}", folder_.name_of(found.path), cursor->name());
    }
    follow(std::move(cursor), found);
    return true;
  }

  /// Whether the file that was read lies where it did: then one that begins like it is another.
  bool is_still_there(const codecs::FilePosition& position) {
    const int fd = ::open(position.path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const auto now = file_of(fd, position.path);
    codecs::ContentHash hash;
    const bool same = now && static_cast<std::uint64_t>(now->size) >= position.offset &&
                      codecs::hash_prefix(fd, position.offset, hash) == position.digest;
    ::close(fd);
    return same;
  }

  void begin(int fd, const FoundFile& found) {
    codecs::FilePosition fresh;
    fresh.size = static_cast<std::uint64_t>(found.size);
    fresh.modified_ns = found.modified_ns;
    fresh.path = found.path;
    const auto first = head_key(fd, std::min(kMostHead, fresh.size));
    if (!first) {
      folder_.fail(found.path, errno, reports_);
      ::close(fd);
      return;
    }
    std::string key = *first;
    if (runtime::mutant("append.key_by_name")) {
      key = fmt::format("{}1-{:032x}", kPrefix, codecs::hash_of_name(found.path));
    }
    for (int copy = 2; is_taken(key); ++copy) key = fmt::format("{}.{}", *first, copy);
    auto cursor = std::make_unique<codecs::FileCursor>(
        options_, codecs::FileCursor::Place{fd, found.path, folder_.name_of(found.path), key},
        fresh);
    cursor->open();
    follow(std::move(cursor), found);
  }

  /// Also by a file that has had no row yet.
  bool is_taken(const std::string& key) const {
    return positions_.contains(key) || std::any_of(tails_.begin(), tails_.end(), [&](auto& tail) {
             return tail.cursor->key() == key;
           });
  }

  void follow(std::unique_ptr<codecs::FileCursor> cursor, const FoundFile& found) {
    std::string end = bytes_before(cursor->descriptor(), cursor->position().offset);
    tails_.push_front({std::move(cursor), found.device, found.inode, std::move(end), found.path});
    current_ = &tails_.front();
  }

  codecs::FileOptions options_;
  SourceContext context_;
  FileFolder folder_;
  FileReports reports_;
  std::map<std::string, codecs::FilePosition> positions_;
  std::set<std::uint64_t> heads_;  ///< sizes of beginnings that files are known by
  std::list<Tail> tails_;          ///< the newest first
  Tail* current_ = nullptr;
  LogCopies copies_;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_append_reader(codecs::FileOptions options) {
  return std::make_unique<AppendReader>(std::move(options));
}

}  // namespace huiliu::connectors
