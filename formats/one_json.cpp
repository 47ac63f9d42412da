#include "formats/one_json.h"

#include <algorithm>

#include <simdjson.h>

namespace huiliu::formats {

bool is_one_json(std::string_view text, int max_depth) {
  // It keeps its memory, which is a few times the longest text.
  thread_local simdjson::dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(text.size(), parser.capacity()),
                      static_cast<std::size_t>(max_depth)) != simdjson::SUCCESS) {
    return false;
  }
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

}  // namespace huiliu::formats
