#include "connectors/file/file_rereader.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "codecs/files/file_cursor.h"
#include "codecs/files/file_decoder.h"
#include "runtime/base/paths.h"
#include "runtime/component/selection.h"
#include "runtime/record/record.h"

namespace huiliu::connectors {
namespace {

using runtime::ReadResult;
using runtime::SelectedRow;
using runtime::Slice;
using runtime::SourceContext;
using runtime::Status;
namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "file:";
constexpr std::string_view kBadFile = "E805_BAD_FILE";

/// Selected rows of one content, by one name.
struct Task {
  std::string key;                  ///< of the durable position
  std::string partition;            ///< the name that the rows had
  std::vector<std::uint64_t> rows;  ///< in order
  std::uint64_t rest_from = 0;      ///< row that stands for the rest of the file; 0: none
};

class FileRereader final : public runtime::SourceReader {
 public:
  explicit FileRereader(codecs::FileOptions options) : options_(std::move(options)) {}

  Status open(const SourceContext& context) override {
    context_ = context;
    path_ = runtime::resolve_path(context.base_folder, options_.path);
    tasks_.clear();
    auto known = codecs::read_positions(context.positions, kPrefix);
    if (!known.is_ok()) return known.status();
    positions_ = std::move(known.value());
    for (const auto& [partition, rows] : context.selection->partitions()) plan(partition, rows);
    return Status::ok();
  }

  ReadResult read(Slice& slice) override {
    for (;;) {
      if (cursor_) {
        if (resuming_ ? read_rest(slice) : read_rows(slice)) return ReadResult::kSlice;
        cursor_.reset();
        if (resuming_ || task_.rest_from == 0 || !resume()) continue;
      } else if (tasks_.empty()) {
        return ReadResult::kEnd;
      } else {
        task_ = std::move(tasks_.front());
        tasks_.pop_front();
        start();
      }
    }
  }

 private:
  /// Finds the contents that the rows are of. Rows of other sources stay unfound.
  void plan(const std::string& partition, std::vector<SelectedRow> rows) {
    const std::string name = fs::path(partition).filename().string();
    for (const auto& [key, position] : positions_) {
      if (fs::path(position.path).filename().string() == name) take(partition, key, rows);
    }
    // A file may have been renamed while it was read.
    for (auto at = positions_.begin(); at != positions_.end() && !rows.empty(); ++at) {
      take(partition, at->first, rows);
    }
  }

  void take(const std::string& partition, const std::string& key, std::vector<SelectedRow>& rows) {
    Task task{key, partition, {}, 0};
    const std::uint64_t hash = codecs::hash_of_name(key);
    std::erase_if(rows, [&](const SelectedRow& row) {
      if (runtime::record_id(hash, row.row) != row.id) return false;
      if (row.code == kBadFile) {
        task.rest_from = row.row;
      } else {
        task.rows.push_back(row.row);
      }
      return true;
    });
    std::sort(task.rows.begin(), task.rows.end());
    if (!task.rows.empty() || task.rest_from != 0) tasks_.push_back(std::move(task));
  }

  std::unique_ptr<codecs::FileCursor> cursor_at(const std::string& path, int fd,
                                                codecs::FilePosition position) {
    return std::make_unique<codecs::FileCursor>(
        options_, codecs::FileCursor::Place{fd, path, task_.partition, task_.key},
        std::move(position));
  }

  /// Whether what was read of the file is as it was.
  bool is_same(int fd, const codecs::FilePosition& known) {
    if (known.digest.empty()) {  // refused before anything was read
      const auto quick = codecs::quick_hash(fd, known.size);
      return quick && task_.key.starts_with(std::string(kPrefix) + *quick);
    }
    // Text is known by what was read of it, a workbook by the whole, a file that is read from a
    // copy by either, and only the cursor makes copies.
    for (const std::uint64_t size : {known.offset, known.size}) {
      codecs::ContentHash hash;
      if (size <= known.size && codecs::hash_prefix(fd, size, hash) == known.digest) return true;
    }
    return known.offset > 0 && cursor_at(known.path, ::dup(fd), known)->open();
  }

  /// The file's descriptor, at a path that is stored in path_found_; -1 and why not.
  int find(const codecs::FilePosition& known, std::string& why) {
    for (const std::string& path : {known.path, (fs::path(path_) / task_.partition).string()}) {
      const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0) {
        if (why.empty()) why = "the file is gone";
        continue;
      }
      path_found_ = path;
      if (is_same(fd, known)) return fd;
      ::close(fd);
      why = "the file was changed since it was read";
    }
    return -1;
  }

  void start() {
    const codecs::FilePosition& known = positions_[task_.key];
    std::string why;
    const int fd = find(known, why);
    if (fd < 0) {
      spdlog::error("{}: {}", task_.partition, why);
      return context_.not_found(task_.partition, why);
    }
    resuming_ = task_.rows.empty();
    codecs::FilePosition position = resuming_ ? position_of_rest() : codecs::FilePosition();
    position.size = known.size;
    position.path = path_found_;
    open_cursor(fd, std::move(position));
  }

  /// The rest of the file, behind the rows before it.
  bool resume() {
    const int fd = ::open(path_found_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    resuming_ = true;
    open_cursor(fd, position_of_rest());
    return cursor_ != nullptr;
  }

  codecs::FilePosition position_of_rest() const {
    codecs::FilePosition position = positions_.at(task_.key);
    position.done = false;
    position.rows = task_.rest_from - 1;
    position.path = path_found_;
    return position;
  }

  void open_cursor(int fd, codecs::FilePosition position) {
    auto cursor = cursor_at(path_found_, fd, std::move(position));
    if (!cursor->open()) {
      return context_.not_found(task_.partition, "the file was changed since it was read");
    }
    partition_ = context_.intern(task_.partition);
    partition_hash_ = codecs::hash_of_name(task_.key);
    ended_ = false;
    cursor_ = std::move(cursor);
  }

  void fill_in(Slice& slice, bool whole) const {
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    slice.whole = whole;
    slice.positions.clear();
  }

  /// The next slice that a selected row may be in.
  bool read_rows(Slice& slice) {
    auto next = std::upper_bound(task_.rows.begin(), task_.rows.end(), cursor_->position().rows);
    while (next != task_.rows.end() && cursor_->read(slice, context_.slice_bytes)) {
      fill_in(slice, false);
      if (cursor_->position().rows >= *next) return true;
    }
    return false;
  }

  /// As of a file that is read for the first time: what was read is committed with it.
  bool read_rest(Slice& slice) {
    if (ended_) return false;
    const bool got = cursor_->read(slice, context_.slice_bytes);
    fill_in(slice, true);
    slice.positions.emplace_back(task_.key, cursor_->position().to_text());
    ended_ = cursor_->position().done;
    if (!got) {
      slice.bytes.clear();
      slice.format = static_cast<std::uint32_t>(codecs::SliceFormat::kNdjson);
      slice.detail = codecs::make_layout(options_, task_.partition);
      ended_ = true;
    }
    return true;
  }

  codecs::FileOptions options_;
  SourceContext context_;
  std::string path_;
  std::map<std::string, codecs::FilePosition> positions_;
  std::deque<Task> tasks_;
  Task task_;  // under way
  std::string path_found_;
  std::unique_ptr<codecs::FileCursor> cursor_;
  bool resuming_ = false;
  bool ended_ = false;
  const std::string* partition_ = nullptr;
  std::uint64_t partition_hash_ = 0;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_file_rereader(codecs::FileOptions options) {
  return std::make_unique<FileRereader>(std::move(options));
}

}  // namespace huiliu::connectors
