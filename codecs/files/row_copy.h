#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/files/file_options.h"
#include "codecs/files/text_copy.h"

namespace huiliu::codecs {

/// Files that hold rows in a form which is read from a copy with a JSON object a line.
enum class RowForm { kNone, kXml, kJsonArray };

/// What a file is by its beginning; `format` is by its name.
RowForm row_form_of(std::string_view head, FileFormat format);

struct RowCopy {
  TextCopy copy;
  std::optional<FileProblem> problem;  ///< of what is behind the rows of the copy
  bool any_rows = false;               ///< whether the file has the form at all
  std::vector<std::string> names;      ///< XML: of the first row, and required ones of later rows
};

/// Copies a file as UTF-8, the n-th line its n-th row; a row without a value is an empty line.
/// Memory is bounded by a row. The same whenever it is made.
RowCopy copy_rows(int from, RowForm form, std::string_view head, const FileOptions& options,
                  const FileLayout& layout);

/// The line of the file in which a row begins; 0 if there is none.
std::uint64_t line_of_row(int from, RowForm form, std::string_view head, const FileOptions& options,
                          const FileLayout& layout, std::uint64_t row);

}  // namespace huiliu::codecs
