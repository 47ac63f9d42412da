#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"

namespace huiliu::codecs {

/// How far a file was read: the value of the durable position "file:<key>". The key is a quick hash
/// of size, head and tail; the digest is of all bytes up to `offset`, so that a file is known by
/// its content wherever it lies.
struct FilePosition {
  bool done = false;
  std::uint64_t offset = 0;  ///< bytes read (XLSX: rows given out)
  std::uint64_t rows = 0;    ///< data rows read
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::string digest;
  std::string path;

  std::string to_text() const;
  static std::optional<FilePosition> parse(std::string_view text);
};

/// Those of a source's committed positions whose key begins with `prefix`; kCorrupt names one that
/// cannot be read.
runtime::Result<std::map<std::string, FilePosition>> read_positions(
    const std::vector<std::pair<std::string, std::string>>& committed, std::string_view prefix);

}  // namespace huiliu::codecs
