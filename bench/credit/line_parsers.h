#pragma once

#include <cstddef>

#include <rapidjson/document.h>
#include <simdjson.h>

#include "bench/credit/credit_line.h"

namespace huiliu::bench {

// Both parsers take [begin, end) without its '\n', may overwrite it and the byte at `end`, and need
// kReadAhead readable bytes behind it.
inline constexpr std::size_t kReadAhead = simdjson::SIMDJSON_PADDING;

class RapidjsonParser {
 public:
  static constexpr const char* kName = "rapidjson";

  [[nodiscard]] bool parse(char* begin, char* end, CreditLine& line) {
    *end = '\0';
    allocator_.Clear();
    Document document(&allocator_, kStackBytes);
    document.ParseInsitu(begin);
    if (document.HasParseError() || !document.IsObject()) return false;
    for (const auto& member : document.GetObject()) {
      const std::string_view key(member.name.GetString(), member.name.GetStringLength());
      if (member.value.IsString()) {
        line.set_text(key, {member.value.GetString(), member.value.GetStringLength()});
      } else if (member.value.IsInt64()) {
        line.set_number(key, member.value.GetInt64());
      }
    }
    return true;
  }

 private:
  using Allocator = rapidjson::MemoryPoolAllocator<>;
  using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Allocator, Allocator>;
  static constexpr std::size_t kStackBytes = 1024;

  char pool_[65536];
  Allocator allocator_{pool_, sizeof pool_};
};

class SimdjsonParser {
 public:
  static constexpr const char* kName = "simdjson";

  [[nodiscard]] bool parse(char* begin, char* end, CreditLine& line) {
    const auto size = static_cast<std::size_t>(end - begin);
    try {
      auto document = parser_.iterate(simdjson::padded_string_view(begin, size, size + kReadAhead));
      for (auto field : document.get_object()) {
        const std::string_view key = field.unescaped_key();
        auto value = field.value();
        if (value.type() == simdjson::ondemand::json_type::string) {
          line.set_text(key, value.get_string());
        } else {
          line.set_number(key, value.get_int64());
        }
      }
      return true;
    } catch (const simdjson::simdjson_error&) {
      return false;
    }
  }

 private:
  simdjson::ondemand::parser parser_;
};

}  // namespace huiliu::bench
