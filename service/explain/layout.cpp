#include "service/explain/layout.h"

#include <fmt/format.h>

#include "domain/utf8.h"

namespace huiliu::service {
namespace {

struct Range {
  char32_t first, last;
};
// East Asian Width W and F of Unicode 15, joined where nothing narrow that we meet lies between.
constexpr Range kWide[] = {
    {0x1100, 0x115F}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF}, {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

std::size_t width_of(char32_t c) {
  if (domain::is_zero_width(c) || (c >= 0x300 && c <= 0x36F)) return 0;
  for (const Range& range : kWide) {
    if (c >= range.first && c <= range.last) return 2;
  }
  return 1;
}

bool is_control(char32_t c) {
  const bool turns_text = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || turns_text;
}

}  // namespace

std::string say(Language language, std::string_view english, std::string_view chinese) {
  if (language == Language::kEnglish) return std::string(english);
  if (language == Language::kChinese) return std::string(chinese);
  return fmt::format("{} {}", english, chinese);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const domain::Utf8Char c = domain::decode_utf8(text, at);
    width += width_of(c.code_point);
    at += c.size;
  }
  return width;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t own = display_width(text);
  return std::string(text) + std::string(own < width ? width - own : 0, ' ');
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const domain::Utf8Char c = domain::decode_utf8(text, at);
    if (c.code_point == domain::kInvalidByte) {
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[at]));
    } else if (c.code_point == '\n') {
      out += "\\n";
    } else if (c.code_point == '\t') {
      out += "\\t";
    } else if (is_control(c.code_point) || domain::is_zero_width(c.code_point)) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c.code_point));
    } else {
      out += text.substr(at, c.size);
    }
    at += c.size;
  }
  return out;
}

std::string json_text(const std::string& text) {
  return domain::is_valid_utf8(text) ? text : printable(text);
}

}  // namespace huiliu::service
