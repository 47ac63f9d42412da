#include "service/rules/table_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "formats/csv.h"

namespace huiliu::service {
namespace {

std::string_view without_mark(std::string_view line) {
  while (!line.empty() && (line.front() == '#' || line.front() == ' ')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

TableFile TableFile::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  TableFile table;
  formats::CsvRowParser parser;
  std::string_view rest = text;
  while (!rest.empty()) {
    const bool comment = rest.front() == '#';
    std::size_t end = comment ? rest.find('\n') : formats::csv_row_end(rest, 0);
    if (comment && end != std::string_view::npos) ++end;
    const std::string_view row = rest.substr(0, end);
    rest.remove_prefix(row.size());
    if (comment) {
      if (table.columns.empty()) table.head.emplace_back(without_mark(row));
      continue;
    }
    if (parser.parse(row) != formats::CsvError::kNone || parser.is_blank()) continue;
    std::vector<std::string> cells(parser.cells().begin(), parser.cells().end());
    if (table.columns.empty()) {
      table.columns = std::move(cells);
    } else {
      table.rows.push_back(std::move(cells));
    }
  }
  return table;
}

std::string_view TableFile::cell(const std::vector<std::string>& row,
                                 std::string_view column) const {
  for (std::size_t i = 0; i < columns.size() && i < row.size(); ++i) {
    if (columns[i] == column) return row[i];
  }
  return {};
}

bool TableFile::has(std::string_view column) const {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

std::string_view TableFile::first(std::string_view column) const {
  std::string_view least;
  for (const auto& row : rows) {
    const std::string_view text = cell(row, column);
    if (!text.empty() && (least.empty() || text < least)) least = text;
  }
  return least;
}

std::string_view TableFile::last(std::string_view column) const {
  std::string_view greatest;
  for (const auto& row : rows) greatest = std::max(greatest, cell(row, column));
  return greatest;
}

std::string_view TableFile::comment(std::string_view key) const {
  for (const std::string_view line : head) {
    if (line.starts_with(key) && line.substr(key.size()).starts_with(": ")) {
      return line.substr(key.size() + 2);
    }
  }
  return {};
}

}  // namespace huiliu::service
