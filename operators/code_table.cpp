#include "operators/code_table.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "formats/csv.h"
#include "operators/field_names.h"

namespace huiliu::operators {

using runtime::Config;
using runtime::Diagnostics;

CsvTable CsvTable::load(const Config& path, const std::vector<std::string>& required,
                        Diagnostics& diagnostics) {
  CsvTable table;
  if (!path.is_scalar()) {
    diagnostics.error(path.place(), "expected the path of a CSV file");
    return table;
  }
  const std::string resolved = resolve_path(path);
  std::ifstream file(resolved, std::ios::binary);
  if (!file) {
    diagnostics.error(path.place(), fmt::format("cannot read the table '{}'", resolved),
                      "paths are relative to the file they are written in");
    return table;
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  table.parse(text, path, diagnostics);
  for (const std::string& column : required) {
    if (std::find(table.columns_.begin(), table.columns_.end(), column) != table.columns_.end()) {
      continue;
    }
    diagnostics.error(path.place(), fmt::format("'{}' has no column '{}'", resolved, column),
                      runtime::nearest_hint(column, table.columns_));
    table.rows_.clear();
  }
  return table;
}

void CsvTable::parse(std::string_view text, const Config& path, Diagnostics& diagnostics) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  formats::CsvRowParser parser;
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(formats::csv_row_end(text, at), text.size());
    const std::string_view row = text.substr(at, end - at);
    at = end;
    ++line;
    if (row.starts_with('#')) continue;
    const formats::CsvError error = parser.parse(row);
    if (error != formats::CsvError::kNone) {
      diagnostics.error(path.place(), fmt::format("row {} of '{}': {}", line, resolve_path(path),
                                                  formats::csv_error_text(error)));
      return;
    }
    if (parser.is_blank()) continue;
    std::vector<std::string> cells(parser.cells().begin(), parser.cells().end());
    if (columns_.empty()) {
      columns_ = std::move(cells);
    } else {
      rows_.push_back(std::move(cells));
    }
  }
}

std::string_view CsvTable::cell(std::size_t row, std::string_view column) const {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c] == column && c < rows_[row].size()) return rows_[row][c];
  }
  return {};
}

CodeTable CodeTable::load(const Config& path, const std::string& column, Diagnostics& diagnostics) {
  CodeTable table;
  const CsvTable csv = CsvTable::load(path, {column}, diagnostics);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    table.codes_[std::string(csv.cell(row, column))].push_back(
        {std::string(csv.cell(row, "valid_from")), std::string(csv.cell(row, "valid_to"))});
  }
  return table;
}

CodeTable::Answer CodeTable::look_up(std::string_view code, std::string_view day) const {
  const auto found = codes_.find(code);
  if (found == codes_.end()) return Answer::kUnknown;
  if (day.empty()) return Answer::kInForce;
  for (const Period& period : found->second) {
    if ((period.from.empty() || period.from <= day) && (period.to.empty() || day <= period.to)) {
      return Answer::kInForce;
    }
  }
  return Answer::kNotInForce;
}

SynonymTable SynonymTable::load(const Config& path, Diagnostics& diagnostics) {
  SynonymTable table;
  const CsvTable csv = CsvTable::load(path, {"from", "to"}, diagnostics);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    table.words_[std::string(csv.cell(row, "from"))].push_back(
        {std::string(csv.cell(row, "department")), std::string(csv.cell(row, "to"))});
  }
  return table;
}

const std::string* SynonymTable::find(std::string_view word, std::string_view department) const {
  const auto found = words_.find(word);
  if (found == words_.end()) return nullptr;
  const std::string* for_all = nullptr;
  for (const Entry& entry : found->second) {
    if (entry.department.empty()) {
      for_all = &entry.to;
    } else if (entry.department == department) {
      return &entry.to;
    }
  }
  return for_all;
}

PermissionTable PermissionTable::load(const Config& path, Diagnostics& diagnostics) {
  PermissionTable table;
  const CsvTable csv = CsvTable::load(path, {"source", "authority"}, diagnostics);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    table.sources_[std::string(csv.cell(row, "source"))].emplace(csv.cell(row, "authority"));
  }
  return table;
}

bool PermissionTable::permits(std::string_view source, std::string_view authority) const {
  if (source == authority) return true;
  const auto found = sources_.find(source);
  if (found == sources_.end()) return false;
  return found->second.contains(authority) || found->second.contains(std::string_view("*"));
}

}  // namespace huiliu::operators
