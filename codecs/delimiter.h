#pragma once

#include <string_view>

namespace huiliu::codecs {

/// What an option `delimiter` stands for: one sign, or `tab` (also written \\t); empty is a comma.
inline char named_delimiter(std::string_view text) {
  if (text == "tab" || text == "\\t") return '\t';
  return text.empty() ? ',' : text.front();
}

}  // namespace huiliu::codecs
