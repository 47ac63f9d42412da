#pragma once

#include <string>
#include <string_view>

namespace huiliu::formats {

// What fit_cell_text() had to change.
struct CellText {
  bool replaced = false;   // characters that no workbook can hold are U+FFFD now
  bool shortened = false;  // the end is gone and says so
};

// Makes `text` what a cell can hold of `value`: valid UTF-8 without NUL, U+FFFE and U+FFFF (XML 1.0
// forbids them), of at most 32,767 UTF-16 units as Excel counts. A longer text ends with
// kShortenedMark. What only looks like Excel's escape of a character (_x0041_) is escaped itself;
// control characters are escaped by the library.
CellText fit_cell_text(std::string_view value, std::string& text);

inline constexpr std::string_view kShortenedMark = "…(截断)";

}  // namespace huiliu::formats
