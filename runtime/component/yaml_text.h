#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/diagnostics.h"

namespace huiliu::runtime {

/// What is wrong with a configuration's bytes: text in another encoding than Unicode's would be
/// taken for other text.
std::optional<Diagnostic> encoding_fault(std::string_view text, const std::string& name);

/// A syntax error in words for people: yaml-cpp's place and message, with the likely reason.
Diagnostic syntax_error(std::string_view text, const Place& place, const std::string& message);

}  // namespace huiliu::runtime
