#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace huiliu::domain {

// What a comment of a table says to programs: of "# valid until: 2026-12-31" the value of the key
// "valid until", without outer blanks; empty when no comment has the key. A view into the text.
std::string_view comment_value(std::string_view text, std::string_view key);

// Rows of the code tables: comma-separated, no quotes, first line a header. Lines that begin with #
// are comments, anywhere. Views into the text.
class TableLines {
 public:
  // Skips a byte order mark and the header.
  explicit TableLines(std::string_view text);

  // False at the end; empty lines and comments are skipped.
  bool next();
  // 1-based line of the text, the first line being line 1.
  std::size_t line_number() const { return line_number_; }
  // Splits the line; false when it has not exactly kCount cells.
  template <std::size_t kCount>
  bool cells(std::array<std::string_view, kCount>& out) const {
    std::string_view rest = line_;
    for (std::size_t i = 0; i + 1 < kCount; ++i) {
      const std::size_t comma = rest.find(',');
      if (comma == std::string_view::npos) return false;
      out[i] = rest.substr(0, comma);
      rest.remove_prefix(comma + 1);
    }
    out[kCount - 1] = rest;
    return rest.find(',') == std::string_view::npos;
  }

 private:
  void take_line();

  std::string_view rest_;
  std::string_view line_;
  std::size_t line_number_ = 0;
};

}  // namespace huiliu::domain
