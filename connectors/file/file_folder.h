#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "codecs/files/file_options.h"
#include "connectors/file/file_listing.h"
#include "connectors/file/file_reports.h"
#include "runtime/base/status.h"
#include "runtime/component/source.h"

namespace huiliu::connectors {

/// The files of a source's path, as they come: which wait to be read, and which cannot be.
class FileFolder {
 public:
  explicit FileFolder(const codecs::FileOptions& options) : options_(options) {}

  /// The first look. A path that is not there is waited for as the options say.
  runtime::Status open(const runtime::SourceContext& context, FileReports& reports);
  /// The next look, when it is time. kSlice: something may wait now.
  runtime::ReadResult look_again(FileReports& reports);

  bool empty() const { return waiting_.empty(); }
  const std::string& front() const { return waiting_.front(); }
  void pop() { waiting_.pop_front(); }

  /// Of a file that was found to wait, until end_split().
  runtime::SplitId split_of(const std::string& path) const;
  /// Nothing more is read of the file under this path.
  void end_split(const std::string& path);

  /// Opens a file that waited. kSlice: `fd` and `found` are it; kEnd: it is left out, which is
  /// reported, or has changed and waits again; kRetry: this process is short of something.
  runtime::ReadResult open_file(const std::string& path, int& fd, std::optional<FoundFile>& found,
                                FileReports& reports);
  void fail(const std::string& path, int error, FileReports& reports);
  /// The file needs no second look until it changes. Without `watch` there is only one look.
  void handled(const FoundFile& file) {
    if (options_.watch) handled_[file.path] = stamp_of(file);
  }
  void forget(const std::string& path) { handled_.erase(path); }

  /// Relative to the source's folder: short for people, and the same on every machine.
  std::string name_of(const std::string& path) const;
  /// All that was found.
  std::uint64_t bytes() const { return bytes_; }

 private:
  /// Size and times of the last change.
  using Stamp = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  struct Seen {
    Stamp stamp;
    std::int64_t since_ms = 0;  ///< first seen so, on the steady clock
  };
  static Stamp stamp_of(const FoundFile& file) {
    return {file.size, file.modified_ns, file.changed_ns};
  }
  void forget_what_is_gone(const Listing& listing, FileReports& reports);
  bool look(codecs::FileProblem& missing, FileReports& reports);
  void announce_splits();
  bool settled(const FoundFile& file);
  bool ends_within_a_line(const std::string& path) const;
  void say_if_empty(const Listing& listing);

  const codecs::FileOptions& options_;
  runtime::SourceContext context_;
  std::string path_;
  std::string root_;  ///< names are relative to it
  std::map<std::string, Seen> seen_;
  std::map<std::string, Stamp> handled_;
  std::map<std::string, int> failures_;
  std::set<std::string> left_;  ///< paths that are left out at present
  std::deque<std::string> waiting_;
  std::map<std::string, runtime::SplitId> splits_;  ///< of paths that wait or are read
  std::int64_t opened_ms_ = -1, looked_ms_ = 0;
  std::uint64_t bytes_ = 0;
  bool said_empty_ = false;
};

}  // namespace huiliu::connectors
