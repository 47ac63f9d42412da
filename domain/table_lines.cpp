#include "domain/table_lines.h"

namespace huiliu::domain {
namespace {

std::string_view without_blanks(std::string_view text) {
  // A spreadsheet fills every line of a file up with commas.
  constexpr std::string_view kBlanks = " \t\r,";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::string_view comment_value(std::string_view text, std::string_view key) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line.starts_with('#')) continue;
    line = without_blanks(line.substr(1));
    if (!line.starts_with(key)) continue;
    line = without_blanks(line.substr(key.size()));
    if (line.starts_with(':')) return without_blanks(line.substr(1));
  }
  return {};
}

TableLines::TableLines(std::string_view text) : rest_(text) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  do {
    take_line();
  } while (line_.starts_with('#') && !rest_.empty());
}

bool TableLines::next() {
  while (!rest_.empty()) {
    take_line();
    if (!line_.empty() && !line_.starts_with('#')) return true;
  }
  return false;
}

void TableLines::take_line() {
  const std::size_t end = rest_.find('\n');
  line_ = rest_.substr(0, end);
  rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  ++line_number_;
}

}  // namespace huiliu::domain
