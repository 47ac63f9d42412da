#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/component/config.h"

namespace huiliu::operators {

/// What a table past its last day is: an error, or a warning and used all the same.
enum class OutOfDate { kError, kWarning };

/// Reads `out_of_date: error|warn` of a rule or an operator; kError without it.
OutOfDate out_of_date_of(const runtime::Config& node, runtime::Diagnostics& diagnostics);

/// A CSV file in memory: UTF-8, first row = column names, lines that start with # are comments.
/// Some comments are read: `# valid until: YYYY-MM-DD` (after that day the table is refused),
/// `# renew: TEXT` (what to do then).
class CsvTable {
 public:
  /// `path` is relative to the file it is written in. An unreadable file and a table that is out of
  /// date are reported at the node's place, what is wrong in the file at its line: missing columns
  /// of `required`, columns that no reader of tables knows (unless they are required), rows with
  /// too few or too many cells. The table is then empty or lacks those rows.
  static CsvTable load(const runtime::Config& path, const std::vector<std::string>& required,
                       runtime::Diagnostics& diagnostics,
                       OutOfDate out_of_date = OutOfDate::kError);

  std::size_t rows() const { return rows_.size(); }
  /// Text of a cell; empty if the table has no such column.
  std::string_view cell(std::size_t row, std::string_view column) const;
  bool has(std::string_view column) const;
  /// Where the row stands in the file.
  runtime::Place place(std::size_t row) const { return {path_, rows_[row].line, 0}; }
  const std::string& path() const { return path_; }
  /// What the comment "# key: value" says; empty without one.
  std::string_view comment(std::string_view key) const;

  /// Text of a file beside the one that names it; reports what cannot be read.
  static bool read(const runtime::Config& path, std::string& resolved, std::string& text,
                   runtime::Diagnostics& diagnostics);
  /// Reports a table whose last day lies before today. Today is that of the process's first table,
  /// so that what was found right before start stays right while the process runs.
  static void check_last_day(const runtime::Config& path, const std::string& resolved,
                             std::string_view last_day, std::string_view renewal,
                             OutOfDate out_of_date, runtime::Diagnostics& diagnostics);

 private:
  struct Row {
    int line = 0;
    std::vector<std::string> cells;
  };

  void parse(runtime::Diagnostics& diagnostics);
  void take_row(int line, std::vector<std::string> cells, runtime::Diagnostics& diagnostics);
  void check_columns(const runtime::Config& path, const std::vector<std::string>& required,
                     runtime::Diagnostics& diagnostics);

  std::string path_, text_;
  int header_line_ = 0;
  std::vector<std::string> columns_;
  std::vector<Row> rows_;
};

/// A day as tables write it: YYYY-MM-DD, and there is such a day.
bool is_iso_day(std::string_view text);

/// The ISO day a field's text begins with (2019-03-05, 2019-03-05 10:00:00); empty if it does not.
std::string_view iso_day_of(std::string_view text);

}  // namespace huiliu::operators
