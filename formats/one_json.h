#pragma once

#include <string_view>

namespace huiliu::formats {

/// Whether a text that stands alone, such as a cell, is one JSON value, blanks around it aside, and
/// UTF-8. Outputs write values of type json as they are, so that `1,"b":2` would add a field.
/// Deeper than `max_depth` counts as none.
bool is_one_json(std::string_view text, int max_depth = 64);

}  // namespace huiliu::formats
