#include "connectors/files/file_reader.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fnmatch.h>
#include <glob.h>
#include <spdlog/spdlog.h>

#include "runtime/key.h"

namespace huiliu::connectors::files {

namespace fs = std::filesystem;
using runtime::ReadResult;
using runtime::Status;

namespace {

struct Candidate {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t modified = 0;
};

std::int64_t modified_of(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  return error ? 0 : time.time_since_epoch().count();
}

bool has_suffix(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && name.substr(name.size() - suffix.size()) == suffix;
}

std::optional<FileFormat> format_of(const std::string& path, const std::string& option) {
  if (option == "ndjson") return FileFormat::kNdjson;
  if (option == "csv") return FileFormat::kCsv;
  if (option == "xlsx") return FileFormat::kXlsx;
  if (has_suffix(path, ".ndjson") || has_suffix(path, ".jsonl")) return FileFormat::kNdjson;
  if (has_suffix(path, ".csv")) return FileFormat::kCsv;
  if (has_suffix(path, ".xlsx")) return FileFormat::kXlsx;
  return std::nullopt;
}

// Reads files one after the other, in the order of their paths. Positions:
//   done/HASH → size, modification time, path   (files that were read to their end)
//   current   → offset, rows, size, modification time, path
class FileReader final : public runtime::SourceReader {
 public:
  explicit FileReader(FileSourceOptions options) : options_(std::move(options)) {}

  Status open(const runtime::SourceContext& context) override {
    context_ = context;
    done_.clear();
    for (const auto& [key, value] : context.positions) {
      if (key == "current") resume_ = value;
      if (key.starts_with("done/")) remember(key.substr(5), value);
    }
    for (std::string& path : options_.paths) {
      if (!fs::path(path).is_absolute()) {
        path = (fs::path(context.base_folder) / path).lexically_normal().string();
      }
    }
    if (!scan() && !options_.watch) {
      return Status::invalid("there is no file at '" + options_.paths.front() + "'");
    }
    return Status::ok();
  }

  ReadResult read(runtime::Slice& slice) override {
    for (;;) {
      if (!file_) {
        if (queue_.empty() && !pending_.empty()) return flush(slice);
        const ReadResult opened = open_next();
        if (opened != ReadResult::kSlice) return opened;
        continue;
      }
      auto piece = file_->next(slice.bytes, context_.slice_bytes);
      if (!piece.is_ok()) return failed(piece.status());
      if (piece->end) {
        finish_file();
        continue;
      }
      fill(slice, piece->rows);
      return ReadResult::kSlice;
    }
  }

  std::pair<std::uint64_t, std::uint64_t> progress() const override {
    return {bytes_before_ + (file_ && sheet_ ? 0 : file_ ? file_->position() : 0), bytes_all_};
  }

 private:
  struct Done {
    std::uint64_t size = 0;
    std::int64_t modified = 0;
    std::string path;
  };

  void remember(const std::string& hash, const std::string& value) {
    std::istringstream text(value);
    Done done;
    text >> done.size >> done.modified;
    std::getline(text >> std::ws, done.path);
    done_[hash] = done;
  }

  void add_candidate(const fs::path& path, bool by_pattern, std::vector<Candidate>& found) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return;
    const std::string name = path.filename().string();
    if (by_pattern) {
      if (name.starts_with(".")) return;
      const bool matches = std::any_of(
          options_.patterns.begin(), options_.patterns.end(),
          [&](const std::string& p) { return ::fnmatch(p.c_str(), name.c_str(), 0) == 0; });
      if (!options_.patterns.empty() && !matches) return;
      if (!format_of(name, options_.format)) return;
    }
    found.push_back({path.string(), fs::file_size(path, error), modified_of(path)});
  }

  std::vector<Candidate> list() {
    std::vector<Candidate> found;
    std::error_code error;
    for (const std::string& path : options_.paths) {
      if (fs::is_directory(path, error)) {
        for (const auto& entry : fs::directory_iterator(path, error)) {
          add_candidate(entry.path(), true, found);
        }
      } else if (path.find_first_of("*?[") != std::string::npos) {
        glob_t matches{};
        if (::glob(path.c_str(), 0, nullptr, &matches) == 0) {
          for (std::size_t i = 0; i < matches.gl_pathc; ++i) {
            add_candidate(matches.gl_pathv[i], false, found);
          }
        }
        ::globfree(&matches);
      } else {
        add_candidate(path, false, found);
      }
    }
    std::sort(found.begin(), found.end(),
              [](const Candidate& a, const Candidate& b) { return a.path < b.path; });
    return found;
  }

  // A file is known by its content. It is hashed again only if a file of its size was read before
  // and neither its path nor its time says that it is that very file.
  bool is_done(const Candidate& candidate) {
    const std::string stamp = candidate.path + "\n" + std::to_string(candidate.size) + "\n" +
                              std::to_string(candidate.modified);
    if (seen_.contains(stamp)) return true;
    for (const auto& [hash, done] : done_) {
      if (done.size != candidate.size) continue;
      if (done.path == candidate.path && done.modified == candidate.modified) {
        seen_.insert(stamp);
        return true;
      }
      if (content_hash(candidate.path) == hash) {
        spdlog::info("{}: has the content of {}, which was read before; not read again",
                     candidate.path, done.path);
        seen_.insert(stamp);
        return true;
      }
    }
    return false;
  }

  // False if there is no file at all.
  bool scan() {
    const std::vector<Candidate> all = list();
    queue_.clear();
    for (const Candidate& candidate : all) {
      if (!is_done(candidate)) queue_.push_back(candidate);
    }
    bytes_all_ = bytes_before_;
    for (const Candidate& candidate : queue_) bytes_all_ += candidate.size;
    next_scan_ = context_.clock->steady_ms() + options_.poll_ms;
    return !all.empty();
  }

  // kSlice: a file is open, or the next one is to be tried.
  ReadResult open_next() {
    if (queue_.empty()) {
      if (!options_.watch) return ReadResult::kEnd;
      if (context_.clock->steady_ms() < next_scan_) return ReadResult::kIdle;
      scan();
      if (queue_.empty()) return ReadResult::kIdle;
    }
    current_ = queue_.front();
    queue_.erase(queue_.begin());
    if (is_done(current_)) return ReadResult::kSlice;  // delivered twice in this very scan
    const Mapping& mapping = options_.mapping_for(fs::path(current_.path).filename().string());
    const FileFormat format =
        format_of(current_.path, options_.format).value_or(FileFormat::kNdjson);
    sheet_ = format == FileFormat::kXlsx;
    auto file = sheet_ ? open_sheet(current_.path, options_, mapping)
                       : open_text_file(current_.path, format, options_, mapping);
    if (!file.is_ok()) return failed(file.status());
    file_ = std::move(file.value());
    rows_ = 0;
    return resume();
  }

  ReadResult resume() {
    std::istringstream text(resume_);
    std::uint64_t offset = 0, rows = 0, size = 0;
    std::int64_t modified = 0;
    std::string path;
    text >> offset >> rows >> size >> modified;
    std::getline(text >> std::ws, path);
    if (resume_.empty() || path != current_.path) return start_partition();
    resume_.clear();
    if (size != current_.size || modified != current_.modified) {
      spdlog::warn("{}: changed while it was being read (it had {} bytes, now {}); going on at {}",
                   path, size, current_.size, offset);
    }
    if (Status status = file_->skip(offset, rows); !status.is_ok()) return failed(status);
    rows_ = rows;
    return start_partition();
  }

  ReadResult start_partition() {
    partition_ = context_.intern(fs::path(current_.path).filename().string());
    partition_hash_ = runtime::KeyBuilder::hash_bytes(*partition_);
    return ReadResult::kSlice;
  }

  void fill(runtime::Slice& slice, std::uint64_t rows) {
    slice.partition = partition_;
    slice.partition_hash = partition_hash_;
    slice.first_offset = rows_ + 1;
    slice.detail = file_->info();
    rows_ += rows;
    slice.positions = std::move(pending_);
    pending_.clear();
    slice.positions.emplace_back(
        "current", std::to_string(file_->position()) + " " + std::to_string(rows_) + " " +
                       std::to_string(current_.size) + " " + std::to_string(current_.modified) +
                       " " + current_.path);
  }

  // The end of a file becomes durable with the next slice.
  void finish_file() {
    const std::string hash = content_hash(current_.path);
    const std::string value = std::to_string(current_.size) + " " +
                              std::to_string(current_.modified) + " " + current_.path;
    if (!hash.empty()) {
      remember(hash, value);
      pending_.emplace_back("done/" + hash, value);
    }
    bytes_before_ += current_.size;
    file_.reset();
  }

  // A slice without rows, to make the last file's end durable.
  ReadResult flush(runtime::Slice& slice) {
    slice.partition = partition_;
    slice.first_offset = rows_ + 1;
    slice.bytes.clear();
    slice.positions = std::move(pending_);
    pending_.clear();
    slice.positions.emplace_back("current", "");
    slice.detail = std::make_shared<FileInfo>(FileInfo{FileFormat::kNdjson, {}, &empty_, {}});
    return ReadResult::kSlice;
  }

  // A file that cannot be read at all is left out with a log line; an unavailable one is tried
  // again.
  ReadResult failed(const Status& status) {
    file_.reset();
    if (status.code() == runtime::StatusCode::kUnavailable) {
      spdlog::warn("{}: {}; trying again", context_.node_name, status.message());
      queue_.insert(queue_.begin(), current_);
      return ReadResult::kRetry;
    }
    spdlog::error("{}: {}; the file is left out", context_.node_name, status.message());
    finish_file();
    return ReadResult::kIdle;
  }

  FileSourceOptions options_;
  runtime::SourceContext context_;
  Mapping empty_;
  std::map<std::string, Done> done_;
  std::set<std::string> seen_;
  std::vector<Candidate> queue_;
  Candidate current_;
  std::unique_ptr<OpenFile> file_;
  bool sheet_ = false;
  std::uint64_t rows_ = 0;
  std::string resume_;
  const std::string* partition_ = nullptr;
  std::uint64_t partition_hash_ = 0;
  std::vector<runtime::PositionChange> pending_;
  std::int64_t next_scan_ = 0;
  std::uint64_t bytes_before_ = 0;
  std::uint64_t bytes_all_ = 0;
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_file_reader(FileSourceOptions options) {
  return std::make_unique<FileReader>(std::move(options));
}

}  // namespace huiliu::connectors::files
