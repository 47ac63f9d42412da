#pragma once

#include <optional>
#include <string_view>

#include "codecs/files/file_options.h"

namespace huiliu::codecs {

/// A zip file, as workbooks of today are whatever their name.
bool is_zip(std::string_view head);

/// A compound file, as workbooks of Excel 97 to 2003 and encrypted ones are.
bool is_old_workbook(std::string_view head);

inline bool is_workbook(std::string_view head) { return is_zip(head) || is_old_workbook(head); }

/// Whether a text begins as HTML does.
bool is_web_page(std::string_view text);

/// What a file's beginning is, if nothing here reads it: a web page, or a workbook, XML, a JSON
/// array or text where another format was declared.
std::optional<FileProblem> foreign_content(std::string_view head, FileFormat format);

/// What an XML file is that has no rows of the national upload.
FileProblem foreign_xml(std::string_view head);

/// The signs that stand between cells, the usual first.
inline constexpr char kDelimiters[] = {',', ';', '\t', '|'};

/// For CSV of which no heading is known: the sign that separates cells instead, if one does.
std::optional<FileProblem> other_delimiter(std::string_view line, char delimiter,
                                           const FileLayout& layout);

}  // namespace huiliu::codecs
