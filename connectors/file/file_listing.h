#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codecs/files/file_options.h"

namespace huiliu::connectors {

/// Something at a source's path that is not read, and why.
struct LeftOut {
  std::string path;
  codecs::FileProblem why;
};

/// A file that is to be read.
struct FoundFile {
  std::string path;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  ///< also of its name or rights; no sender can set it
  std::uint64_t device = 0, inode = 0;
};

/// What a look at a source's path has found.
struct Listing {
  std::vector<FoundFile> files;        ///< in the order of their paths
  std::vector<LeftOut> left_out;       ///< cannot be read, whoever waits
  std::vector<LeftOut> not_yet;        ///< under way: the name of a copy in transfer, no marker yet
  std::vector<std::string> unclaimed;  ///< paths that no pattern fits
  std::optional<codecs::FileProblem> missing;  ///< why there is nothing at the path at all
};

/// Lists a file, a folder with all that lies below it, or a glob. What cannot be listed or read
/// does not keep the rest from being listed. Names that begin with a dot are nobody's: rsync and
/// editors use them for what is not done.
Listing list_files(const std::string& path, const codecs::FileOptions& options);

/// The folder that the names of files are relative to: the path itself, what lies above a single
/// file, or above a glob's first wildcard.
std::string root_of(const std::string& path);

/// The file behind an open descriptor; nothing if it cannot be asked.
std::optional<FoundFile> file_of(int fd, const std::string& path);

/// What an errno means for a person, in both languages.
codecs::FileProblem problem_of(int error);

}  // namespace huiliu::connectors
