#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/status.h"

namespace huiliu::connectors {

/// A file whose length is part of an epoch's commit: what lies behind the committed length is cut
/// off when it is opened again.
class CommittedFile {
 public:
  CommittedFile() = default;
  ~CommittedFile();
  CommittedFile(const CommittedFile&) = delete;
  CommittedFile& operator=(const CommittedFile&) = delete;

  /// Opens or makes the file and cuts it back to `length`. `ours` says that an earlier run
  /// committed this file; otherwise a file with content is refused unless `overwrite` is set.
  runtime::Status open(const std::string& path, std::uint64_t length, bool ours, bool overwrite);
  /// kUnavailable if the disk is full; then nothing counts as appended.
  runtime::Status append(std::string_view bytes);
  /// Durable when it returns ok.
  runtime::Status sync();
  std::uint64_t length() const { return length_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t length_ = 0;
  std::uint64_t synced_ = 0;
};

}  // namespace huiliu::connectors
