#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "codecs/json_row.h"

namespace {

using namespace huiliu::codecs;
using huiliu::runtime::Type;
using huiliu::runtime::Value;

JsonFault parse_line(JsonRow& json, const KeyTable& keys, const std::string& line) {
  std::vector<Value> row(3);
  huiliu::runtime::Arena arena;
  const char* end = nullptr;
  const JsonFault fault = json.parse(line.data(), keys, row.data(), arena, end);
  if (fault != JsonFault::kNone) return fault;
  return end == line.data() + line.size() ? fault : JsonFault::kBadJson;
}

}  // namespace

// One line of any bytes that the caller would hand over; simdjson must not accept what is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.find_first_of(std::string_view("\n\0", 2)) != std::string_view::npos) return 0;
  if (!simdjson::validate_utf8(bytes)) return 0;
  KeyTable keys;
  keys.add("a", 0);
  keys.add("n", 1);
  keys.add("amount", 2);
  JsonRow json({Type::kString, Type::kInt64, Type::kFloat64}, 64);
  std::string line(bytes);
  line.reserve(line.size() + 64);
  const JsonFault fault = parse_line(json, keys, line);
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const bool good = parser.parse(line).get(element) == simdjson::SUCCESS && element.is_object();
  if (fault == JsonFault::kBadJson && good) std::abort();
  return 0;
}
