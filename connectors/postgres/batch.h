#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/postgres/binary_row.h"
#include "connectors/postgres/connection.h"
#include "connectors/postgres/table_layout.h"

namespace huiliu::connectors::postgres {

/// Rows that go to the server at once. With a key the last row of each key wins: one statement may
/// not touch a row twice. Rows view bytes that outlive the batch.
class Batch {
 public:
  explicit Batch(const TableLayout& layout);

  /// `row` as take_row() gave it.
  void add(const StoredRow& row);
  std::size_t size() const { return rows_.size(); }
  /// Writes the rows within the transaction that is open, and forgets them.
  runtime::Status write(Connection& connection);
  /// After a failure.
  void clear();

 private:
  runtime::Status copy(Connection& connection);
  runtime::Status merge(Connection& connection);
  runtime::Status write_arrays(Connection& connection, bool deletes);

  const TableLayout& layout_;
  std::string copy_sql_, upsert_sql_, delete_sql_;
  std::vector<StoredRow> rows_;
  std::unordered_map<std::string_view, std::size_t> by_key_;
  std::vector<std::string> arrays_;  ///< one a column; kept for their memory
  std::string part_;
};

}  // namespace huiliu::connectors::postgres
