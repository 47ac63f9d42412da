#pragma once

#include <filesystem>

namespace huiliu::service {

/// A new folder for temporary files ($TMPDIR), removed with all its content at the end. Throws
/// ConfigError if it cannot be made.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace huiliu::service
