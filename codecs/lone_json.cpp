#include "codecs/lone_json.h"

#include <algorithm>

namespace huiliu::codecs {

using runtime::Value;

LoneJson::LoneJson(int max_depth) : row_({runtime::Type::kJson}, {}, max_depth + 1) {
  key_.add("v", 0);
}

bool LoneJson::is_one(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  constexpr std::size_t kReadable = 64;
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return false;
  text = text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
  text_.assign("{\"v\":");
  text_ += text;
  // The row parser ends at a line end; a carriage return is a blank between tokens, too, and just
  // as wrong within a text.
  std::replace(text_.begin(), text_.end(), '\n', '\r');
  text_ += '}';
  const std::size_t size = text_.size();
  text_.append(kReadable, '\0');
  Value found;
  const char* stop = nullptr;
  arena_.reset();
  const JsonFault fault = row_.parse(text_.data(), key_, &found, arena_, stop);
  if (fault != JsonFault::kNone || stop != text_.data() + size) return false;
  // Otherwise the text goes on behind the value, as with 1,"v":2.
  return found.is_null() ? text == "null" : found.text().size() == text.size();
}

}  // namespace huiliu::codecs
