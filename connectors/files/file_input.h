#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/encoding.h"
#include "runtime/config.h"
#include "runtime/schema.h"

namespace huiliu::connectors::files {

enum class FileFormat : std::uint8_t { kNdjson, kCsv, kXlsx };

/// A field of the source: what its values must be like.
struct InputField {
  std::string name;
  runtime::Type type = runtime::Type::kString;
  bool text_only = false;  ///< a spreadsheet number in it is refused: it has lost digits
};

/// How the columns of a group of files map onto the source's fields.
struct Mapping {
  std::string match;                                         ///< glob on the file's name
  std::vector<std::pair<std::string, std::size_t>> columns;  ///< column name → field index
  std::vector<std::pair<std::size_t, std::string>> constants;
};

/// Checked options of a file source.
struct FileSourceOptions {
  std::vector<std::string> paths;  ///< files, folders or globs
  std::vector<std::string> patterns;
  std::string format;    ///< auto, ndjson, csv, xlsx
  std::string encoding;  ///< auto, utf-8, gb18030
  char delimiter = ',';
  std::string sheet;
  bool watch = false;
  std::int64_t poll_ms = 1000;
  std::size_t max_row_bytes = 1 << 20;
  std::vector<InputField> fields;
  std::vector<Mapping> mappings;

  /// The mapping for a file; without any, columns are fields.
  const Mapping& mapping_for(const std::string& file_name) const;
};

/// What a decoder needs to know of the file that a slice comes from.
struct FileInfo {
  FileFormat format = FileFormat::kNdjson;
  formats::Encoding encoding = formats::Encoding::kUtf8;
  const Mapping* mapping = nullptr;
  std::vector<int> columns;  ///< CSV, XLSX: column index → field index or -1
};

FileSourceOptions read_options(const runtime::Config& config, runtime::Diagnostics& diagnostics);

/// A spreadsheet's number cell is marked by this byte in front of its text.
inline constexpr char kNumberMark = '\x01';

}  // namespace huiliu::connectors::files
