#include <cstdlib>

#include <rapidjson/reader.h>

#include "connectors/postgres/record_encoder.h"
#include "formats/encoding.h"

namespace huiliu::connectors::postgres {
namespace {

// numeric holds 131,072 digits before the point and 16,383 behind it. Nesting is bounded by the
// server's stack: 2 MB are enough for 6,000 levels and more.
constexpr std::size_t kMostDigits = 1000;
constexpr long kMostExponent = 10'000;
constexpr int kMostDepth = 1000;

struct Handler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
  int depth = 0;

  // NOLINTBEGIN(readability-identifier-naming): the names are RapidJSON's.
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    const std::string_view all(text, size);
    // A half surrogate becomes bytes that are no UTF-8.
    return all.find('\0') == std::string_view::npos && formats::is_valid_utf8(all);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    return String(text, size, copy);
  }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    const std::string_view all(text, size);
    if (size > kMostDigits) return false;
    const std::size_t exponent = all.find_first_of("eE");
    if (exponent == std::string_view::npos) return true;
    return std::labs(std::strtol(std::string(all.substr(exponent + 1)).c_str(), nullptr, 10)) <=
           kMostExponent;
  }
  bool StartObject() { return ++depth <= kMostDepth; }
  bool StartArray() { return ++depth <= kMostDepth; }
  bool EndObject(rapidjson::SizeType) { return --depth, true; }
  bool EndArray(rapidjson::SizeType) { return --depth, true; }
  // NOLINTEND(readability-identifier-naming)
};

}  // namespace

bool is_storable_json(std::string_view text) {
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::Reader reader;
  Handler handler;
  constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag;
  return text.find('\0') == std::string_view::npos &&
         !reader.Parse<kFlags>(bytes, handler).IsError();
}

}  // namespace huiliu::connectors::postgres
