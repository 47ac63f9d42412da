#include "runtime/component/yaml_text.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace huiliu::runtime {
namespace {

/// Bytes of the character that begins the text; 0 if it is none of UTF-8.
std::size_t character_size(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = first < 0x80                    ? 1
                           : first >= 0xC2 && first < 0xE0 ? 2
                           : first >= 0xE0 && first < 0xF0 ? 3
                           : first >= 0xF0 && first < 0xF5 ? 4
                                                           : 0;
  if (size == 0 || size > text.size()) return 0;
  const bool whole = std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(size),
                                 [](char c) { return (static_cast<unsigned char>(c) >> 6) == 2; });
  return whole ? size : 0;
}

/// yaml-cpp reads UTF-16 and UTF-32 too, which begin with a mark or with a zero byte near by.
bool is_wide(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
         text.substr(0, 4).find('\0') != std::string_view::npos;
}

Place place_at(std::string_view text, std::size_t at, const std::string& name) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line = before.rfind('\n');
  const std::size_t column = line == std::string_view::npos ? at : at - line - 1;
  return {name, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(column) + 1};
}

/// The first tab among the blanks that a line begins with; npos if there is none.
std::size_t indenting_tab(std::string_view text) {
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t word = std::min(text.find_first_not_of(' ', line), text.size());
    if (word < text.size() && text[word] == '\t') return word;
    const std::size_t end = text.find('\n', line);
    if (end == std::string_view::npos) break;
    line = end + 1;
  }
  return std::string_view::npos;
}

std::string likely_reason(std::string_view message) {
  constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
      {"anchor is not defined", "a text that begins with * needs quotes: \"*.csv\""},
      {"illegal map value",
       "is the line indented like the ones beside it? A text with ': ' in it needs quotes"},
      {"end of map not found", "is the line indented like the ones beside it?"},
      {"end of sequence", "is a ] missing, or a line not indented like the ones beside it?"},
      {"end of map flow", "is a } missing?"}};
  for (const auto& [words, reason] : kReasons) {
    if (message.find(words) != std::string_view::npos) return std::string(reason);
  }
  return {};
}

}  // namespace

std::optional<Diagnostic> encoding_fault(std::string_view text, const std::string& name) {
  if (is_wide(text)) return std::nullopt;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_size(text.substr(at));
    if (size == 0) {
      return Diagnostic{place_at(text, at, name), "the byte here is no character of UTF-8",
                        "save the file as UTF-8", false};
    }
    at += size;
  }
  return std::nullopt;
}

Diagnostic syntax_error(std::string_view text, const Place& place, const std::string& message) {
  if (const std::size_t tab = indenting_tab(text); tab != std::string_view::npos) {
    return {place_at(text, tab, place.file), "the line is indented with a tab, which YAML forbids",
            "indent with blanks", false};
  }
  return {place, fmt::format("not YAML: {}", message), likely_reason(message), false};
}

}  // namespace huiliu::runtime
