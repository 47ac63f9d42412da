#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codecs/files/file_options.h"

namespace huiliu::connectors {

/// What a body is: kept beside it (IntakeEntry::about).
struct BatchForm {
  codecs::FileFormat format = codecs::FileFormat::kNdjson;
  std::string sender;
  std::string name;  ///< of the file, as the sender calls it; "" = none

  std::string to_text() const;
  static std::optional<BatchForm> parse(std::string_view text);
};

/// By the header Content-Type; nothing if it is none that can be read.
std::optional<codecs::FileFormat> format_of_type(std::string_view content_type);
/// By a file's name.
std::optional<codecs::FileFormat> format_of_name(std::string_view name);

}  // namespace huiliu::connectors
