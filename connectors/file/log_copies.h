#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "connectors/file/file_listing.h"

namespace huiliu::connectors {

/// While a log is copied to be emptied then (copytruncate), its copy looks like another log. This
/// says what may be one, by all that it holds. One thread.
class LogCopies {
 public:
  void clear();
  /// What the file at `path` begins with now.
  void note(int fd, const std::string& path);
  bool knows(const std::string& path) const { return firsts_.contains(path); }
  /// Whether a noted file may be a copy of another one; no longer when it has not grown for
  /// `most_ms` though it is like that still.
  bool may_be_one(int fd, const FoundFile& file, std::int64_t now_ms, std::int64_t most_ms);

 private:
  struct Held {
    std::int64_t size = 0, since_ms = 0;
  };
  bool is_like_another(int fd, const FoundFile& file) const;

  std::map<std::string, std::string> firsts_;             ///< path → what it begins with
  std::set<std::pair<std::string, std::string>> begins_;  ///< the same the other way round
  std::map<std::string, Held> held_;                      ///< path → since when it may be a copy
};

/// Up to `size` bytes of an open file from `offset` on.
std::string bytes_at(int fd, std::uint64_t offset, std::uint64_t size);

}  // namespace huiliu::connectors
