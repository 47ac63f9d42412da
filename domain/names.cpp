#include "domain/names.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "domain/text.h"
#include "domain/utf8.h"

namespace huiliu::domain {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char32_t plain_bracket(char32_t c) {
  switch (c) {
    case U'(':
    case U'[':
    case U'【':
    case U'〔':
      return U'（';
    case U')':
    case U']':
    case U'】':
    case U'〕':
      return U'）';
    default:
      return c;
  }
}

bool is_middle_dot(char32_t c) {
  return c == 0xB7 || c == 0x2022 || c == 0x30FB || c == 0x2027 || c == 0x2219 || c == 0x22C5 ||
         c == 0x25CF || c == 0xFF0E || c == U'.';
}

struct NameShape {
  bool has_han = false;
  bool has_dotted_han = false;  // Han, dot, Han
};

NameShape shape_of(std::string_view text) {
  NameShape shape;
  char32_t before = 0;
  char32_t last = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    if (is_han(c.code_point)) {
      shape.has_han = true;
      shape.has_dotted_han = shape.has_dotted_han || (is_middle_dot(last) && is_han(before));
    }
    before = last;
    last = c.code_point;
    at += c.size;
  }
  return shape;
}

// Size of the first of `choices` that starts `text`, 0 for none.
template <std::size_t kCount>
std::size_t match_any(std::string_view text, const std::array<std::string_view, kCount>& choices) {
  const auto found = std::find_if(choices.begin(), choices.end(),
                                  [&](auto choice) { return text.starts_with(choice); });
  return found == choices.end() ? 0 : found->size();
}

constexpr auto kOpening =
    std::to_array<std::string_view>({"[", "【", "〔", "［", "(", "（", "{", "<", "《", "〈"});
constexpr auto kClosing =
    std::to_array<std::string_view>({"]", "】", "〕", "］", ")", "）", "}", ">", "》", "〉"});

bool starts_with_year(std::string_view text) {
  return (text.starts_with("19") || text.starts_with("20")) && text.size() >= 4 &&
         is_digit(text[2]) && is_digit(text[3]);
}

// Size of a bracketed year at the start of `text`, 0 when there is none. Sets `year` to its digits.
std::size_t match_year(std::string_view text, std::string_view& year) {
  const std::size_t open = match_any(text, kOpening);
  if (open == 0 || !starts_with_year(text.substr(open))) return 0;
  year = text.substr(open, 4);
  std::size_t at = open + 4;
  if (text.substr(at).starts_with("年")) at += std::string_view("年").size();
  const std::size_t close = match_any(text.substr(at), kClosing);
  return close == 0 ? 0 : at + close;
}

// Rewrites what follows the last 〕 when it is a serial: 第012号, 012, 12号 -> 12号.
void normalise_serial(std::string& number) {
  constexpr std::string_view kBracket = "〕";
  const std::size_t bracket = number.rfind(kBracket);
  if (bracket == std::string::npos) return;
  const std::size_t from = bracket + kBracket.size();
  std::string_view serial = std::string_view(number).substr(from);
  if (serial.starts_with("第")) serial.remove_prefix(std::string_view("第").size());
  if (serial.ends_with("号")) serial.remove_suffix(std::string_view("号").size());
  if (serial.empty() || !std::all_of(serial.begin(), serial.end(), is_digit)) return;
  const std::size_t zeros = std::min(serial.find_first_not_of('0'), serial.size() - 1);
  number.replace(from, std::string::npos, std::string(serial.substr(zeros)) + "号");
}

void remove_white_space(std::string_view in, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < in.size();) {
    const Utf8Char c = decode_utf8(in, at);
    if (!is_white_space(c.code_point)) out.append(in, at, c.size);
    at += c.size;
  }
}

}  // namespace

void normalise_name(std::string_view in, std::string& out) {
  std::string text;
  normalise_text(in, text);
  const NameShape shape = shape_of(text);
  out.clear();
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const bool dot = shape.has_dotted_han && is_middle_dot(c.code_point);
    const char32_t better = dot ? U'\u00B7' : plain_bracket(c.code_point);
    if (better != c.code_point) {
      append_utf8(out, better);
    } else if (!shape.has_han || !is_white_space(c.code_point)) {
      out.append(text, at, c.size);
    }
    at += c.size;
  }
}

void name_key(std::string_view in, std::string& out) {
  out.clear();
  for (std::size_t at = 0; at < in.size();) {
    const Utf8Char c = decode_utf8(in, at);
    const char32_t folded = ascii_upper(fold_width(c.code_point));
    const bool digit = folded >= U'0' && folded <= U'9';
    if (digit || (folded >= U'A' && folded <= U'Z')) {
      out.push_back(static_cast<char>(folded));
    } else if (is_han(folded)) {
      out.append(in, at, c.size);
    }
    at += c.size;
  }
}

void normalise_docno(std::string_view in, std::string& out) {
  std::string text;
  std::string compact;
  normalise_text(in, text);
  remove_white_space(text, compact);
  out.clear();
  const std::string_view from = compact;
  for (std::size_t at = 0; at < from.size();) {
    std::string_view year;
    if (const std::size_t size = match_year(from.substr(at), year); size > 0) {
      out.append("〔").append(year).append("〕");
      at += size;
    } else {
      const std::size_t step = decode_utf8(from, at).size;
      out.append(from, at, step);
      at += step;
    }
  }
  normalise_serial(out);
}

}  // namespace huiliu::domain
