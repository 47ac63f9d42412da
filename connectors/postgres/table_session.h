#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connectors/postgres/connection.h"
#include "connectors/postgres/dialect.h"
#include "connectors/postgres/table_source_options.h"

namespace huiliu::connectors::postgres {

using Row = std::vector<std::optional<std::string>>;

/// A session that reads one table. kUnavailable passes by itself; kInvalid says what is wrong with
/// the table, the rights or the way in, and what to do. One thread.
class TableSession {
 public:
  explicit TableSession(const TableSourceOptions& options) : options_(options) {}

  /// Connects and looks at the table, if that is still to be done.
  runtime::Status attach(const std::function<bool()>& ending);
  void close() { connection_.close(); }
  bool is_open() const { return connection_.is_open(); }
  const Dialect& dialect() const { return *dialect_; }

  /// `parameters` are text.
  runtime::Status ask(const std::string& sql, const std::vector<std::string>& parameters,
                      Answer& answer);

 private:
  runtime::Status look_at_table();
  runtime::Status check_columns(const Answer& columns);
  runtime::Status check_not_null(const Answer& columns) const;
  runtime::Status check_key();
  runtime::Status claim_flag();
  runtime::Status invalid(const std::string& what, const std::string& remedy) const;

  const TableSourceOptions& options_;
  Connection connection_;
  std::unique_ptr<Dialect> dialect_;
};

}  // namespace huiliu::connectors::postgres
