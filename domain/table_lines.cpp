#include "domain/table_lines.h"

namespace huiliu::domain {

TableLines::TableLines(std::string_view text) : rest_(text) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  take_line();
}

bool TableLines::next() {
  while (!rest_.empty()) {
    take_line();
    if (!line_.empty()) return true;
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
