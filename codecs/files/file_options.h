#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codecs/files/headings.h"
#include "codecs/json_row.h"
#include "formats/encoding.h"
#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"
#include "runtime/record/schema.h"

namespace huiliu::codecs {

struct FileField {
  std::string name;
  runtime::Type type = runtime::Type::kString;
  bool text_only = false;  ///< a spreadsheet's number cell is refused
  std::optional<std::string> absent;
  bool required_column = false;  ///< a table without its column is refused
};

/// What holds for files whose name matches.
struct FileMapping {
  std::string match;
  std::vector<std::pair<std::size_t, std::string>> set;      ///< field, constant
  std::vector<std::pair<std::string, std::size_t>> columns;  ///< heading, field
  std::vector<std::size_t> required;                         ///< fields whose column must be there
};

/// What becomes of a file of the folder that no pattern fits; it is said in the log anyhow.
enum class Unclaimed { kLog, kReject };

enum class FileFormat { kAuto, kNdjson, kCsv, kXlsx };

struct FileOptions {
  std::string path;
  std::vector<std::string> patterns;
  std::vector<std::string> ignored;  ///< globs on names that nobody is told of
  Unclaimed unclaimed = Unclaimed::kLog;
  std::string marker;   ///< a file is read when there is one of its name and this ending
  bool append = false;  ///< files are appended to: whole new lines are read
  FileFormat format = FileFormat::kAuto;
  std::optional<formats::Encoding> encoding;
  char delimiter = ',';
  bool delimiter_set = false;  ///< else a file may have another that makes headings known
  std::string sheet;
  std::vector<FileField> fields;
  std::vector<FileMapping> mappings;
  bool watch = false;
  std::int64_t poll_ms = 1000;
  std::int64_t wait_ms = 0;
  std::int64_t last_line_ms = 10'000;
  std::size_t max_row_bytes = 1 << 20;
  int max_depth = 64;
  bool quiet = false;  ///< a file that is read once more: what it is like was said then
  std::vector<std::pair<std::string, std::string>> codes;  ///< reject code → the name to use

  runtime::Schema schema() const;
};

/// Reads the options of the source type `file`; what is wrong becomes diagnostics.
FileOptions parse_file_options(const runtime::Config& config, runtime::Diagnostics& diagnostics);
std::vector<runtime::Option> file_source_options();

/// The option `fields` alone: names, or maps of `name` and `type`.
runtime::Schema parse_row_fields(const runtime::Config& fields, runtime::Diagnostics& diagnostics);

/// How the bytes of a slice are to be read (Slice::format).
enum class SliceFormat : std::uint32_t { kNdjson, kCsv, kCells, kTooLong, kProblem, kOpenQuote };

/// The bytes of a kProblem slice: the reject's code and what is wrong, which may have no Chinese.
std::string problem_bytes(std::string_view code, const FileProblem& problem);

/// How the rows of one file map to fields (Slice::detail). Immutable but for `warned`.
struct FileLayout {
  codecs::KeyTable keys;                                 ///< every name that a column may have
  std::vector<int> columns;                              ///< CSV, XLSX: field of each cell, or -1
  std::vector<std::pair<std::size_t, std::string>> set;  ///< constants
  formats::Encoding encoding = formats::Encoding::kUtf8;
  char delimiter = ',';  ///< CSV: between the cells of this file
  bool mixed = false;  ///< nobody has said the encoding: rows that are plainly in another are read
  std::vector<std::string> headings;               ///< CSV, XLSX: of each column
  std::vector<std::size_t> required;               ///< fields whose column must be there
  std::map<std::string, int, std::less<>> folded;  ///< heading_key() of `keys` → field
  std::string file;
  mutable std::atomic_flag warned;

  static constexpr int kAmbiguous = -2;
  /// The field that a heading stands for, compared by heading_key(), or -1.
  int field_of(std::string_view heading) const;
  /// How many cells of a row are known headings.
  std::size_t known(const std::vector<std::string>& row) const;
  /// Takes a row as the headings of a table and warns of those that nothing reads. What is wrong:
  /// two columns of one field, or a required one that is missing.
  std::optional<FileProblem> map_headings(std::vector<std::string> row, const FileOptions& options);
  /// The headings of two rows as one, if all that the lower has are further known headings.
  std::optional<std::vector<std::string>> join_headings(
      const std::vector<std::string>& upper, const std::vector<std::string>& lower) const;
  /// Whether a row repeats the headings.
  bool is_heading_row(const std::vector<std::string_view>& cells) const;
  void fold_keys();
  /// What is wrong if a required field is under none of a file's names.
  std::optional<FileProblem> missing_columns(const std::vector<std::string>& names,
                                             const FileOptions& options) const;
  void warn_unknown(const std::string& heading, const FileOptions& options) const;
};

/// Says that a table has no headings that are known.
FileProblem no_headings(const std::vector<std::string>& first_row);

/// The mapping of a file by its name; null: columns by the fields' own names.
const FileMapping* mapping_of(const FileOptions& options, const std::string& file);

std::shared_ptr<FileLayout> make_layout(const FileOptions& options, const std::string& file);

}  // namespace huiliu::codecs
