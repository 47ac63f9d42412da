#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace huiliu::codecs {

/// Bytes that put_json_string may touch behind what it writes, plus the quotes.
inline constexpr std::size_t kJsonSlack = 34;

/// Writes `text` quoted; only `"`, `\` and control characters are escaped. `to` has room for
/// 6 * text.size() + kJsonSlack bytes. Returns the end.
char* put_json_string(char* to, std::string_view text);
void append_json_string(std::string_view text, std::string& out);

}  // namespace huiliu::codecs
