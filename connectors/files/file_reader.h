#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "connectors/files/file_input.h"
#include "runtime/source.h"

namespace huiliu::connectors::files {

/// One file being read: hands out raw pieces cut at row boundaries.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  struct Piece {
    bool end = false;        ///< nothing more
    std::uint64_t rows = 0;  ///< rows in the piece
  };
  /// Fills `bytes` with about `size` bytes of whole rows.
  virtual runtime::Result<Piece> next(std::string& bytes, std::size_t size) = 0;
  /// Skips what was read before: `bytes` of a text file, `rows` of a sheet.
  virtual runtime::Status skip(std::uint64_t bytes, std::uint64_t rows) = 0;
  virtual std::uint64_t position() const = 0;
  virtual std::shared_ptr<const FileInfo> info() const = 0;
};

runtime::Result<std::unique_ptr<OpenFile>> open_text_file(const std::string& path,
                                                          FileFormat format,
                                                          const FileSourceOptions& options,
                                                          const Mapping& mapping);
runtime::Result<std::unique_ptr<OpenFile>> open_sheet(const std::string& path,
                                                      const FileSourceOptions& options,
                                                      const Mapping& mapping);

/// Column name → field index or -1 for a heading; warns of unknown columns once a file.
std::vector<int> map_columns(const std::vector<std::string>& heading, const Mapping& mapping,
                             const std::string& path);

/// Content hash of a file (XXH3, 128 bits, hexadecimal); empty if it cannot be read.
std::string content_hash(const std::string& path);

std::unique_ptr<runtime::SourceReader> make_file_reader(FileSourceOptions options);

}  // namespace huiliu::connectors::files
