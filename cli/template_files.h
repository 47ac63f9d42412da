#pragma once

#include <span>
#include <string_view>

namespace huiliu::cli {

/// A file below cli/templates, as it was when the program was built.
struct TemplateFile {
  std::string_view path;  ///< "TEMPLATE/NAME"
  std::string_view text;
};

/// Sorted by path.
std::span<const TemplateFile> template_files();

}  // namespace huiliu::cli
