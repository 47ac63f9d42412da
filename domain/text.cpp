#include "domain/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "domain/utf8.h"

namespace huiliu::domain {
namespace {

constexpr std::string_view kWideBlank = "\u3000";

bool is_ascii_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Bytes of the blank at `at`, 0 when there is none.
std::size_t blank_size(std::string_view text, std::size_t at) {
  if (at >= text.size()) return 0;
  if (is_ascii_blank(text[at])) return 1;
  return text.substr(at, 3) == kWideBlank ? 3 : 0;
}

// The ASCII form of the full-width character at `at`, or '\0'.
char narrow_at(std::string_view text, std::size_t at) {
  if (text.size() - at < 3 || text[at] != '\xEF') return '\0';
  const auto second = static_cast<unsigned char>(text[at + 1]);
  const auto third = static_cast<unsigned char>(text[at + 2]);
  if ((second != 0xBC && second != 0xBD) || (third & 0xC0u) != 0x80) return '\0';
  const unsigned code_point = 0xF000u | ((second & 63u) << 6) | (third & 63u);
  const bool wide = code_point >= 0xFF01 && code_point <= 0xFF5E;
  return wide ? static_cast<char>(code_point - 0xFEE0) : '\0';
}

constexpr std::uint64_t repeat(std::uint8_t byte) { return 0x0101010101010101u * byte; }
constexpr std::uint64_t kHighBits = repeat(0x80);

// High bits set where a byte of `block` may be zero; none set when none is.
std::uint64_t zero_bytes(std::uint64_t block) { return (block - repeat(1)) & ~block & kHighBits; }
// High bits set exactly where a byte is less than `limit`, which is at most 0x80.
std::uint64_t bytes_below(std::uint64_t block, std::uint8_t limit) {
  const auto carry = static_cast<std::uint8_t>(0x80 - limit);
  return ~(((block & ~kHighBits) + repeat(carry)) | block) & kHighBits;
}

// How many of the eight bytes at `data` surely need no change: 0, 7 or 8. Only E3 (U+3000) and EF
// (full-width) lead bytes can call for one and, when blanks collapse, control characters and pairs
// of blanks. A blank at the end is left to the next block, for its neighbour decides.
template <bool kCollapse>
std::size_t unchanged_bytes(const char* data) {
  std::uint64_t block;
  std::memcpy(&block, data, 8);
  std::uint64_t hits = zero_bytes(block ^ repeat(0xE3)) | zero_bytes(block ^ repeat(0xEF));
  if constexpr (kCollapse) {
    const std::uint64_t blanks = bytes_below(block, 0x21);
    if (blanks != 0) hits |= bytes_below(block, 0x20) | (blanks & (blanks >> 8));
  }
  if (hits != 0) return 0;
  return kCollapse && data[7] == ' ' ? 7 : 8;
}

template <bool kCollapse>
bool changes_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (c == '\xEF') return narrow_at(text, at) != '\0';
  if (c == '\xE3') return blank_size(text, at) == 3;
  if (!kCollapse || !is_ascii_blank(c)) return false;
  return c != ' ' || blank_size(text, at + 1) != 0;
}

// First index at or after `at` that must change, or text.size().
template <bool kCollapse>
std::size_t find_change(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const bool whole = at + 8 <= text.size();
    if (whole) {
      if (const std::size_t skip = unchanged_bytes<kCollapse>(text.data() + at); skip > 0) {
        at += skip;
        continue;
      }
    }
    for (const std::size_t end = whole ? at + 8 : text.size(); at < end; ++at) {
      if (changes_at<kCollapse>(text, at)) return at;
    }
  }
  return at;
}

// Appends `text` from its first change at `at` on; what lies before is copied as it is.
template <bool kCollapse>
void rewrite(std::string_view text, std::size_t at, std::string& out) {
  out.clear();
  for (std::size_t done = 0;;) {
    out.append(text, done, at - done);
    if (at == text.size()) return;
    if (const char narrow = narrow_at(text, at); narrow != '\0') {
      out.push_back(narrow);
      done = at + 3;
    } else {
      out.push_back(' ');
      done = at + blank_size(text, at);
      while (kCollapse && blank_size(text, done) != 0) done += blank_size(text, done);
    }
    at = find_change<kCollapse>(text, done);
  }
}

template <bool kCollapse>
std::string_view narrowed(std::string_view in, std::string& scratch) {
  const std::string_view text = trim(in);
  const std::size_t at = find_change<kCollapse>(text, 0);
  if (at == text.size()) return text;
  rewrite<kCollapse>(text, at, scratch);
  return scratch;
}

bool is_code_separator(char32_t c) {
  return c == '-' || c == '_' || c == '.' || c == 0xB7 || (c >= 0x2010 && c <= 0x2015) ||
         c == 0x2212 || is_white_space(c) || is_zero_width(c);
}

bool is_plain_code(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

constexpr auto kNullWords = std::to_array<std::string_view>(
    {"",    "无",   "空",  "暂无", "不详", "未知", "NULL",
     "NIL", "NONE", "N/A", "NA",   "#N/A", "-",    "--",
     "/",   "\\",   "*",   ".",    "0",    "(无)", "无统一社会信用代码",
     "待补"});
constexpr std::size_t kLongestNullWord = 27;

// The Han characters null words start with.
bool starts_null_word(char32_t c) {
  return std::u32string_view(U"无空暂不未待").find(c) != std::u32string_view::npos;
}

bool is_null_run(char c, std::size_t count) {
  return ((c == '0' || c == 'X') && count >= 5) || c == '*' || c == '-';
}

}  // namespace

std::string_view trim(std::string_view in) {
  while (const std::size_t size = blank_size(in, 0)) in.remove_prefix(size);
  while (!in.empty()) {
    if (is_ascii_blank(in.back())) {
      in.remove_suffix(1);
    } else if (in.ends_with(kWideBlank)) {
      in.remove_suffix(3);
    } else {
      break;
    }
  }
  return in;
}

void collapse_blanks(std::string_view in, std::string& out) {
  out.clear();
  in = trim(in);
  for (std::size_t at = 0; at < in.size();) {
    if (blank_size(in, at) == 0) {
      out.push_back(in[at++]);
      continue;
    }
    out.push_back(' ');
    while (const std::size_t size = blank_size(in, at)) at += size;
  }
}

void half_width_all(std::string_view in, std::string& out) {
  rewrite<false>(in, find_change<false>(in, 0), out);
}

std::string_view half_width_trim(std::string_view in, std::string& scratch, bool collapse) {
  return collapse ? narrowed<true>(in, scratch) : narrowed<false>(in, scratch);
}

bool is_half_width(std::string_view in, bool collapse) {
  in = trim(in);
  return (collapse ? find_change<true>(in, 0) : find_change<false>(in, 0)) == in.size();
}

void normalise_text(std::string_view in, std::string& out) {
  out.clear();
  bool blank_pending = false;
  for (std::size_t at = 0; at < in.size();) {
    const Utf8Char c = decode_utf8(in, at);
    const std::size_t from = at;
    at += c.size;
    if (is_zero_width(c.code_point)) continue;
    if (c.code_point == 0xA0 || blank_size(in, from) != 0) {
      blank_pending = true;
      continue;
    }
    if (blank_pending && !out.empty()) out.push_back(' ');
    blank_pending = false;
    const char narrow = c.size == 3 ? narrow_at(in, from) : '\0';
    const bool alphanumeric = (narrow >= '0' && narrow <= '9') ||
                              (narrow >= 'A' && narrow <= 'Z') || (narrow >= 'a' && narrow <= 'z');
    if (alphanumeric) {
      out.push_back(narrow);
    } else {
      out.append(in, from, c.size);
    }
  }
}

void normalise_code(std::string_view in, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < in.size();) {
    const Utf8Char c = decode_utf8(in, at);
    const char32_t folded = fold_width(c.code_point);
    if (!is_code_separator(folded)) {
      if (folded < 0x80) {
        out.push_back(static_cast<char>(ascii_upper(folded)));
      } else {
        out.append(in, at, c.size);
      }
    }
    at += c.size;
  }
}

std::string_view normalised_code(std::string_view in, std::string& scratch) {
  if (is_plain_code(in)) return in;
  normalise_code(in, scratch);
  return scratch;
}

bool is_null_word(std::string_view in) {
  std::array<char, kLongestNullWord> word;
  std::size_t size = 0;  // bytes of the folded text, also beyond the array
  char first = '\0';
  bool one_char_repeated = true;
  const auto put = [&](char c) {
    if (size == 0) first = c;
    one_char_repeated = one_char_repeated && c == first;
    if (size < word.size()) word[size] = c;
    ++size;
  };
  for (std::size_t at = 0; at < in.size();) {
    const Utf8Char c = decode_utf8(in, at);
    const char32_t folded = ascii_upper(fold_width(c.code_point));
    if (folded < 0x80) {
      if (!is_white_space(folded)) put(static_cast<char>(folded));
    } else if (!is_zero_width(folded) && !is_white_space(folded)) {
      if (size == 0 && !starts_null_word(folded)) return false;
      for (std::size_t i = 0; i < c.size; ++i) put(in[at + i]);
    }
    at += c.size;
    if (size > word.size() && !one_char_repeated) return false;
  }
  if (one_char_repeated && size > 0 && is_null_run(first, size)) return true;
  return size <= word.size() && std::find(kNullWords.begin(), kNullWords.end(),
                                          std::string_view(word.data(), size)) != kNullWords.end();
}

}  // namespace huiliu::domain
