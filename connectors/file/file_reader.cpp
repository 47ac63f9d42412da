#include "connectors/file/file_reader.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "codecs/files/file_cursor.h"
#include "connectors/file/append_file.h"
#include "connectors/file/append_reader.h"
#include "connectors/file/file_folder.h"
#include "connectors/file/file_reports.h"
#include "runtime/base/failpoint.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using runtime::SourceContext;
using runtime::Status;

constexpr std::string_view kPrefix = "file:";
constexpr std::size_t kMostTried = 2;  ///< older contents of a name that a file may have grown from

/// Reads files that are complete. One that grew after it was read is read on if what was read of
/// it is as it was.
class FileReader final : public runtime::SourceReader {
 public:
  explicit FileReader(codecs::FileOptions options)
      : options_(std::move(options)), folder_(options_), reports_(options_) {}

  Status open(const SourceContext& context) override {
    context_ = context;
    reports_.open(context);
    positions_.clear();
    by_path_.clear();
    auto known = codecs::read_positions(context.positions, kPrefix);
    if (!known.is_ok()) return known.status();
    for (auto& [key, position] : *known) remember(key, std::move(position));
    return folder_.open(context, reports_);
  }

  ReadResult read(Slice& slice) override {
    for (;;) {
      if (reports_.give(slice)) return ReadResult::kSlice;
      if (current_) {
        if (current_->read(slice, context_.slice_bytes)) return give(slice);
        if (!current_->position().done) continue;
        end_file();
        if (finished_empty_) return note_end(slice);
        continue;
      }
      if (reports_.give_rest(slice)) return ReadResult::kSlice;
      if (folder_.empty()) {
        if (!options_.watch) return ReadResult::kEnd;
        const ReadResult looked = folder_.look_again(reports_);
        if (looked != ReadResult::kSlice) return looked;
        continue;
      }
      const std::string path = folder_.front();
      const ReadResult started = start(path);
      if (started == ReadResult::kRetry) return ReadResult::kRetry;
      if (started == ReadResult::kEnd) folder_.end_split(path);
      folder_.pop();
    }
  }

  bool has_splits() const override { return true; }
  bool is_bounded() const override { return !options_.watch; }
  std::pair<std::uint64_t, std::uint64_t> progress() const override {
    return {bytes_done_, folder_.bytes()};
  }

 private:
  void remember(const std::string& key, codecs::FilePosition position) {
    by_path_[codecs::hash_of_name(position.path)].insert(key);
    positions_[key] = std::move(position);
  }

  ReadResult give(Slice& slice) {
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    const codecs::FilePosition& position = current_->position();
    add_positions(slice, current_->key(), position);
    slice.split = folder_.split_of(position.path);
    bytes_done_ += slice.bytes.size();
    given_done_ = position.done;
    const bool rest = !position.done && position.size > position.offset;
    slice.backlog = runtime::Backlog{rest ? position.size - position.offset : 0};
    return ReadResult::kSlice;
  }

  /// A file that has grown is also known by what it is now.
  void add_positions(Slice& slice, const std::string& key, const codecs::FilePosition& position) {
    reports_.give_with(slice);
    slice.positions.emplace_back(key, position.to_text());
    remember(key, position);
    if (!position.done || also_known_as_.empty()) return;
    slice.positions.emplace_back(also_known_as_, position.to_text());
    remember(also_known_as_, position);
  }

  /// The file's end was found without a last row: that must be remembered as well.
  ReadResult note_end(Slice& slice) {
    slice.bytes.clear();
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    add_positions(slice, ended_key_, codecs::FilePosition(positions_[ended_key_]));
    slice.format = static_cast<std::uint32_t>(codecs::SliceFormat::kNdjson);
    slice.detail = codecs::make_layout(options_, *partition_);
    finished_empty_ = false;
    return ReadResult::kSlice;
  }

  void end_file() {
    const codecs::FilePosition& position = current_->position();
    const int fd = ::open(position.path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto now = fd < 0 ? std::nullopt : file_of(fd, position.path);
    if (fd >= 0) ::close(fd);
    const bool changed = now && (static_cast<std::uint64_t>(now->size) != position.size ||
                                 now->modified_ns != position.modified_ns);
    if (changed) {
      folder_.forget(position.path);
      reports_.left_out(
          current_->name(),
          {fmt::format("it changed while it was read; {} bytes of it were taken", position.offset),
           "读取过程中文件有变动，其余内容尚未读取"},
          options_.watch);
    }
    finished_empty_ = !given_done_;
    ended_key_ = current_->key();
    remember(ended_key_, position);
    spdlog::info("{}: {} rows read", current_->name(), position.rows);
    folder_.end_split(position.path);
    current_.reset();
  }

  /// Opens a file, or recognises it. kEnd: nothing to read in it.
  ReadResult start(const std::string& path) {
    int fd = -1;
    std::optional<FoundFile> found;
    if (const ReadResult opened = folder_.open_file(path, fd, found, reports_);
        opened != ReadResult::kSlice) {
      return opened;
    }
    codecs::FilePosition fresh;
    fresh.size = static_cast<std::uint64_t>(found->size);
    fresh.modified_ns = found->modified_ns;
    fresh.path = path;
    const auto quick = codecs::quick_hash(fd, fresh.size);
    if (!quick) {
      ::close(fd);
      folder_.fail(path, errno, reports_);
      return ReadResult::kEnd;
    }
    folder_.handled(*found);
    reports_.is_read(folder_.name_of(path));
    const ReadResult result = find(fd, std::string(kPrefix) + *quick, fresh);
    if (result == ReadResult::kEnd) ::close(fd);
    return result;
  }

  /// kEnd: it was read. Else a cursor has taken the descriptor over.
  ReadResult find(int fd, const std::string& quick, const codecs::FilePosition& fresh) {
    std::string key = quick;
    for (int copy = 2;; ++copy) {
      const auto known = positions_.find(key);
      if (known == positions_.end()) break;
      if (!known->second.done) {
        if (resume(fd, key, known->second, fresh)) return ReadResult::kSlice;
      } else if (is_same(fd, fresh, known->second)) {
        if (known->second.path != fresh.path) note_name(key, fresh);
        return ReadResult::kEnd;
      }
      // Alike at both ends, different within; or read in another way.
      key = fmt::format("{}.{}", quick, copy);
    }
    for (const std::string& known_key : grown_from(fd, fresh)) {
      const codecs::FilePosition known = positions_[known_key];
      if (resume(fd, known_key, known, fresh)) {
        also_known_as_ = key;
        return ReadResult::kSlice;
      }
    }
    for (const std::string& other : by_path_[codecs::hash_of_name(fresh.path)]) {
      if (positions_[other].done) continue;
      spdlog::error(
          "{}: changed after {} rows of it were read; the new content is read from its start",
          folder_.name_of(fresh.path), positions_[other].rows);
    }
    take(std::make_unique<codecs::FileCursor>(options_, place(fd, fresh.path, key), fresh));
    current_->open();
    return ReadResult::kSlice;
  }

  /// Keys of what was read under this name and may have grown: what the file begins with comes
  /// first, then the longest, whose beginning only its cursor can compare.
  std::vector<std::string> grown_from(int fd, const codecs::FilePosition& fresh) const {
    const auto known = by_path_.find(codecs::hash_of_name(fresh.path));
    if (known == by_path_.end() || runtime::mutant("file.grown_again")) return {};
    std::vector<std::string> keys;
    std::set<std::uint64_t> offsets;
    for (const std::string& key : known->second) {
      const codecs::FilePosition& position = positions_.at(key);
      if (position.size >= fresh.size || position.offset == 0) continue;
      keys.push_back(key);
      offsets.insert(std::min(position.offset, position.size));
    }
    const auto digests = codecs::hash_prefixes(fd, offsets);
    const auto rank = [&](const std::string& key) {
      const codecs::FilePosition& position = positions_.at(key);
      const auto digest = digests.find(position.offset);
      const bool same = digest != digests.end() && digest->second == position.digest;
      return std::tuple(!same, ~position.offset, ~position.size);
    };
    std::sort(keys.begin(), keys.end(),
              [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
    if (keys.size() > kMostTried) keys.resize(kMostTried);
    return keys;
  }

  /// What was read has another name too, or now: it may grow under that.
  void note_name(const std::string& key, const codecs::FilePosition& fresh) {
    by_path_[codecs::hash_of_name(fresh.path)].insert(key);
    std::error_code error;
    codecs::FilePosition& position = positions_[key];
    if (std::filesystem::exists(position.path, error)) return;
    position.path = fresh.path;
    position.modified_ns = fresh.modified_ns;
    reports_.also(folder_.name_of(fresh.path), key, position.to_text());
  }

  codecs::FileCursor::Place place(int fd, const std::string& path, const std::string& key) const {
    return {fd, path, folder_.name_of(path), key};
  }

  /// A file that was read under another mapping or as another format is another delivery.
  bool is_read_alike(const std::string& a, const std::string& b) const {
    return codecs::mapping_of(options_, a) == codecs::mapping_of(options_, b) &&
           codecs::format_of(options_, a) == codecs::format_of(options_, b);
  }

  bool is_same(int fd, const codecs::FilePosition& fresh, const codecs::FilePosition& known) {
    if (!is_read_alike(known.path, fresh.path)) return false;
    const bool untouched = known.path == fresh.path && known.modified_ns == fresh.modified_ns;
    codecs::ContentHash hash;
    if (!untouched && codecs::hash_prefix(fd, fresh.size, hash) != known.digest) return false;
    bytes_done_ += fresh.size;
    if (untouched) return true;
    const std::string name = folder_.name_of(fresh.path), as = folder_.name_of(known.path);
    std::error_code error;
    if (known.modified_ns == fresh.modified_ns && !std::filesystem::exists(known.path, error)) {
      spdlog::info("{}: is what was read as {}", name, as);
      return true;
    }
    const std::string stamp = fmt::format("{}:{}", fresh.size, fresh.modified_ns);
    if (!reports_.was_delivered_again(name, stamp)) reports_.delivered_again(name, as, stamp);
    return true;
  }

  /// Goes on behind what was read; false if that is not what the file begins with.
  bool resume(int fd, const std::string& key, codecs::FilePosition position,
              const codecs::FilePosition& fresh) {
    const std::uint64_t read = position.offset;
    // What was read to its end from a copy is known by its own bytes, which only they can show.
    if (position.done && position.size < fresh.size) {
      codecs::ContentHash whole;
      if (codecs::hash_prefix(fd, position.size, whole) == position.digest) position.digest.clear();
    }
    position.done = false;
    position.size = fresh.size;
    position.modified_ns = fresh.modified_ns;
    position.path = fresh.path;
    auto cursor =
        std::make_unique<codecs::FileCursor>(options_, place(::dup(fd), fresh.path, key), position);
    if (!cursor->open()) return false;
    ::close(fd);
    bytes_done_ += read;
    take(std::move(cursor));
    if (const auto& rest = current_->half_row()) {
      const codecs::FilePosition& at = current_->position();
      reports_.half_row(current_->name(), *rest, at.rows, fmt::format("{}:{}", key, at.offset),
                        {{key, at.to_text()}});
    }
    return true;
  }

  void take(std::unique_ptr<codecs::FileCursor> cursor) {
    partition_ = context_.intern(cursor->name());
    partition_hash_ = codecs::hash_of_name(cursor->key());
    given_done_ = false;
    also_known_as_.clear();
    current_ = std::move(cursor);
  }

  codecs::FileOptions options_;
  SourceContext context_;
  FileFolder folder_;
  FileReports reports_;
  std::map<std::string, codecs::FilePosition> positions_;
  /// Hash of a path → keys of what was read there. That it is the file's beginning is seen from its
  /// bytes, so the path itself need not be kept: folders hold many files.
  std::unordered_map<std::uint64_t, std::set<std::string>> by_path_;
  std::unique_ptr<codecs::FileCursor> current_;
  std::string also_known_as_;  ///< key of what the file is now, if it was another when it was begun
  const std::string* partition_ = nullptr;
  std::uint64_t partition_hash_ = 0;
  std::string ended_key_;
  bool given_done_ = false;
  bool finished_empty_ = false;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_file_reader(codecs::FileOptions options) {
  if (options.append) return make_append_reader(std::move(options));
  return std::make_unique<FileReader>(std::move(options));
}

}  // namespace huiliu::connectors
