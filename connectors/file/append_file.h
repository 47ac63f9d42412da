#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace huiliu::connectors {

/// A file that only grows and whose committed length is kept elsewhere: opened, it is cut back to
/// that length. A file of somebody else is never touched. One thread.
class AppendFile {
 public:
  AppendFile() = default;
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// `committed`: the committed length, empty on a fresh start. kInvalid when a fresh start meets a
  /// file with content that is not the rest of a start that died (unless `overwrite`), kCorrupt
  /// when the file is shorter than it was; kUnavailable when the disk or the folder is.
  runtime::Status open(const std::string& path, std::optional<std::uint64_t> committed,
                       bool overwrite);
  runtime::Status append(std::string_view bytes);
  /// Everything appended is durable after this.
  runtime::Status sync();
  /// The length was committed: a later fresh start no longer owns the file.
  void committed();
  runtime::Status close();

  std::uint64_t length() const { return written_ + buffer_.size(); }
  const std::string& path() const { return path_; }

 private:
  runtime::Status flush();
  runtime::Status write_at_end(std::string_view bytes);
  void start_writeback();
  runtime::Status claim(bool overwrite);
  runtime::Status cut_back(std::uint64_t length);
  runtime::Status failed(const char* what) const;

  std::string path_;
  std::string claim_;  // a file beside that says: what is in `path_` is ours though not committed
  int fd_ = -1;
  std::uint64_t written_ = 0;
  std::uint64_t handed_over_ = 0;  // to the kernel's writeback
  std::string buffer_;
  bool dirty_ = false;
};

/// EpochSink::fits for a file that had `committed` bytes.
runtime::Result<bool> fits_length(const std::string& path, std::uint64_t committed);

}  // namespace huiliu::connectors
