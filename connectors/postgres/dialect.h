#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "connectors/postgres/table_source_options.h"

namespace huiliu::connectors::postgres {

/// What a statement has behind the source's fields.
struct PageColumns {
  /// Of an increment: as it is; not beyond now; whether that moves the mark; where a pass from
  /// there would begin.
  std::size_t stamp = 0, bounded = 0, moves = 0, floor = 0;
  std::size_t version = 0;  ///< of a flag: changes with the row
};

/// The SQL of a kind of database, for what a table source asks. All values come and go as text. A
/// further database is a further class of this shape.
class Dialect {
 public:
  /// `types`: of the columns, as the database names them.
  Dialect(const TableSourceOptions& options, std::map<std::string, std::string> types);

  /// Rows behind a place, in the order of the mode, `page_rows` at most. Parameters:
  /// increment, first page: the mark and the overlap (none if there is no mark); then the mark and
  /// the place (stamp, key). Flag: the unread value, then the place (key). Snapshot: the place.
  std::string page(bool has_mark, bool has_place) const;
  const PageColumns& extras() const { return extras_; }
  /// How many rows have no key or no stamp and so are never read; 1,001 for more.
  std::string unreadable() const;
  /// Sets the flag of rows that are as they were. Parameters: the new value, the old one, then an
  /// array of each key column, and of versions.
  std::string write_back() const;
  /// Whether a stamp lies before another one.
  bool is_before(const std::string& one, const std::string& other) const;
  /// The overlap as a parameter.
  std::string overlap() const;

  /// An array as a parameter.
  static std::string array(const std::vector<std::string>& texts);

 private:
  std::string column(const std::string& name) const;
  std::string parameter(std::size_t number, const std::string& type_of) const;
  std::string order() const;
  std::vector<std::string> ordered_columns() const;
  std::string place_condition(std::size_t first_parameter) const;
  std::string version(const std::string& of) const;

  const TableSourceOptions& options_;
  std::map<std::string, std::string> types_;
  std::string from_;
  PageColumns extras_;
};

}  // namespace huiliu::connectors::postgres
