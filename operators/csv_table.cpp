#include "operators/csv_table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "domain/dates.h"
#include "domain/table_lines.h"
#include "domain/timestamps.h"
#include "formats/csv.h"
#include "operators/field_names.h"
#include "runtime/base/clock.h"

namespace huiliu::operators {

using runtime::Config;
using runtime::Diagnostics;

namespace {

// Columns that some reader of tables knows; a table may have more readers than one.
const std::vector<std::string>& known_columns() {
  static const std::vector<std::string> columns = {
      "code", "name",       "basis",  "valid_from", "valid_to", "successor", "from",
      "to",   "department", "source", "authority",  "date",     "kind",      "remark"};
  return columns;
}

std::string today_in_china() {
  const std::int32_t day = domain::china_day(runtime::system_clock().now_ms());
  char text[domain::kIsoDateSize];
  domain::format_iso(domain::date_of_days(day), text);
  return {text, sizeof text};
}

}  // namespace

bool is_iso_day(std::string_view text) {
  domain::Date date;
  return text.size() == domain::kIsoDateSize && text[4] == '-' && text[7] == '-' &&
         domain::parse_date_simple(text, date);
}

std::string_view iso_day_of(std::string_view text) {
  const bool shaped = text.size() >= domain::kIsoDateSize && text[4] == '-' && text[7] == '-';
  return shaped ? text.substr(0, domain::kIsoDateSize) : std::string_view{};
}

bool CsvTable::read(const Config& path, std::string& resolved, std::string& text,
                    Diagnostics& diagnostics) {
  if (!path.is_scalar()) {
    diagnostics.error(path.place(), "expected the path of a CSV file");
    return false;
  }
  resolved = std::filesystem::path(resolve_path(path)).lexically_normal().string();
  std::ifstream file(resolved, std::ios::binary);
  if (!file) {
    diagnostics.error(path.place(), fmt::format("cannot read the table '{}'", resolved),
                      "paths are relative to the file they are written in");
    return false;
  }
  text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return true;
}

void CsvTable::check_last_day(const Config& path, const std::string& resolved,
                              std::string_view last_day, std::string_view renewal,
                              OutOfDate out_of_date, Diagnostics& diagnostics) {
  static const std::string today = today_in_china();
  if (last_day.empty() || today <= last_day) return;
  std::string message =
      fmt::format("the table '{}' was valid until {}, today is {}", resolved, last_day, today);
  std::string hint = renewal.empty() ? "replace the table by its next edition"
                                     : fmt::format("replace the table {}", renewal);
  if (out_of_date == OutOfDate::kWarning) {
    diagnostics.warning(path.place(), std::move(message), std::move(hint));
  } else {
    diagnostics.error(path.place(), std::move(message), std::move(hint));
  }
}

OutOfDate out_of_date_of(const Config& node, Diagnostics& diagnostics) {
  if (!node.has("out_of_date")) return OutOfDate::kError;
  const std::size_t chosen =
      find_word(node["out_of_date"], "choice", {"error", "warn"}, diagnostics);
  return chosen == 1 ? OutOfDate::kWarning : OutOfDate::kError;
}

CsvTable CsvTable::load(const Config& path, const std::vector<std::string>& required,
                        Diagnostics& diagnostics, OutOfDate out_of_date) {
  CsvTable table;
  if (!read(path, table.path_, table.text_, diagnostics)) return table;
  table.parse(diagnostics);
  table.check_columns(path, required, diagnostics);
  const std::string_view last_day = table.comment("valid until");
  if (!last_day.empty() && !is_iso_day(last_day)) {
    diagnostics.error({table.path_, 0, 0}, fmt::format("`# valid until: {}` is no day", last_day),
                      "write YYYY-MM-DD");
    return table;
  }
  check_last_day(path, table.path_, last_day, table.comment("renew"), out_of_date, diagnostics);
  return table;
}

void CsvTable::parse(Diagnostics& diagnostics) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view text = text_;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  formats::CsvRowParser parser;
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const bool comment = text[at] == '#';
    const std::size_t end = comment ? text.find('\n', at) + 1 : formats::csv_row_end(text, at);
    // npos + 1 is 0: a comment that the file ends with.
    const std::string_view row =
        text.substr(at, (end == 0 ? text.size() : std::min(end, text.size())) - at);
    at += row.size();
    const int here = line;
    line += static_cast<int>(std::count(row.begin(), row.end(), '\n'));
    if (comment) continue;
    const formats::CsvError error = parser.parse(row);
    if (error != formats::CsvError::kNone) {
      diagnostics.error({path_, here, 0}, std::string(formats::csv_error_text(error)));
      return;
    }
    if (parser.is_blank()) continue;
    take_row(here, {parser.cells().begin(), parser.cells().end()}, diagnostics);
  }
}

void CsvTable::take_row(int line, std::vector<std::string> cells, Diagnostics& diagnostics) {
  if (columns_.empty()) {
    columns_ = std::move(cells);
    header_line_ = line;
  } else if (cells.size() == columns_.size()) {
    rows_.push_back({line, std::move(cells)});
  } else {
    diagnostics.error(
        {path_, line, 0},
        fmt::format("the row has {} cells, expected {}", cells.size(), columns_.size()),
        "put a cell that holds a comma in double quotes, leave an empty cell for no value");
  }
}

void CsvTable::check_columns(const Config& path, const std::vector<std::string>& required,
                             Diagnostics& diagnostics) {
  for (const std::string& column : required) {
    if (has(column)) continue;
    diagnostics.error(path.place(), fmt::format("'{}' has no column '{}'", path_, column),
                      runtime::nearest_hint(column, columns_));
    rows_.clear();
  }
  for (auto column = columns_.begin(); column != columns_.end(); ++column) {
    const auto is = [&](const std::string& name) { return name == *column; };
    if (std::any_of(columns_.begin(), column, is)) {
      diagnostics.error({path_, header_line_, 0},
                        fmt::format("the column '{}' is there twice", *column));
    } else if (std::none_of(required.begin(), required.end(), is) &&
               std::none_of(known_columns().begin(), known_columns().end(), is)) {
      const std::string hint = runtime::nearest_hint(*column, known_columns());
      diagnostics.error({path_, header_line_, 0},
                        fmt::format("nothing reads the column '{}'", *column),
                        hint.empty() ? "a column for people is named remark" : hint);
    }
  }
}

bool CsvTable::has(std::string_view column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

std::string_view CsvTable::cell(std::size_t row, std::string_view column) const {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c] == column) return rows_[row].cells[c];
  }
  return {};
}

std::string_view CsvTable::comment(std::string_view key) const {
  return domain::comment_value(text_, key);
}

}  // namespace huiliu::operators
