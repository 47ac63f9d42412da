#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// UTF-8 taken apart and put together. Every function accepts arbitrary bytes: a byte that starts no
// well-formed sequence counts as one character of its own, so nothing is lost or read out of
// bounds.
namespace huiliu::domain {

struct Utf8Char {
  char32_t code_point = 0;  // kInvalidByte when the byte at the place is malformed
  std::size_t size = 1;     // bytes, at least 1
};

inline constexpr char32_t kInvalidByte = 0xFFFFFFFF;

// Requires at < text.size().
Utf8Char decode_utf8(std::string_view text, std::size_t at);
// Appends the UTF-8 form; requires a valid code point.
void append_utf8(std::string& out, char32_t code_point);
// Well-formed by the Unicode standard: no overlong forms, no surrogates, at most U+10FFFF.
bool is_valid_utf8(std::string_view text);
// Characters, a malformed byte counting as one.
std::size_t count_characters(std::string_view text);

// Unified ideographs with extensions A to H.
constexpr bool is_han(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x323AF);
}
// Zero-width characters, the byte order mark and the soft hyphen.
constexpr bool is_zero_width(char32_t c) {
  return (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF || c == 0xAD;
}
// White space of any kind, as Unicode lists it.
constexpr bool is_white_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}
// Full-width ASCII to ASCII, the full-width yen sign to U+00A5, wide blanks to ' '; others
// unchanged.
constexpr char32_t fold_width(char32_t c) {
  if (c < 0xA0) return c;
  if (c >= 0xFF01 && c <= 0xFF5E) return c - 0xFEE0;
  if (c == 0xFFE5) return 0xA5;
  const bool blank =
      c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F;
  return blank ? U' ' : c;
}
constexpr char32_t ascii_upper(char32_t c) { return c >= U'a' && c <= U'z' ? c - 32 : c; }

}  // namespace huiliu::domain
