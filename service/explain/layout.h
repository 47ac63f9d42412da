#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace huiliu::service {

enum class Language { kChinese, kEnglish, kBoth };

/// The text in the language; both are joined by a blank, English first.
std::string say(Language language, std::string_view english, std::string_view chinese);

/// Columns that a terminal needs for the text: Chinese and full-width characters take two.
std::size_t display_width(std::string_view text);
/// With blanks behind it up to `width` columns.
std::string padded(std::string_view text, std::size_t width);
/// On one line and harmless for a terminal: control characters become escapes.
std::string printable(std::string_view text);
/// What JSON can hold of bytes from anywhere: the text if it is UTF-8, else as printable().
std::string json_text(const std::string& text);

}  // namespace huiliu::service
