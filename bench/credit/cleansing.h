#pragma once

#include <string>
#include <string_view>

namespace huiliu::bench {

enum class InnerBlanks { kKeep, kCollapse };

// Full-width ASCII to half width, ideographic blank to ' ', trimmed. The view is of `buffer`.
std::string_view half_width(std::string_view text, std::string& buffer, InnerBlanks inner);

std::string_view trim(std::string_view text);

// GB 32100 and GB 11643, check character included.
bool is_uscc(std::string_view code);
bool is_id_no(std::string_view code);

inline constexpr std::size_t kIsoDateSize = 10;

// Writes YYYY-MM-DD to `iso`; false when `text` is no existing date in one of the four formats.
bool parse_date(std::string_view text, char (&iso)[kIsoDateSize]);

}  // namespace huiliu::bench
