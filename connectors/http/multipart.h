#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace huiliu::connectors {

/// A file of a form, as browsers and `curl -F` send it (RFC 7578).
struct FormFile {
  std::string name;  ///< of the file, without folders
  std::string content_type;
  std::string_view body;  ///< a part of what was parsed
};

/// Whether a Content-Type says that the body is a form with files.
bool is_form(std::string_view content_type);

/// The files of a form, in their order; fields that are no files are left out. Nothing if the body
/// is no form of that type, or has more than kMostFiles.
std::optional<std::vector<FormFile>> files_of_form(std::string_view content_type,
                                                   std::string_view body);
inline constexpr std::size_t kMostFiles = 100;

}  // namespace huiliu::connectors
