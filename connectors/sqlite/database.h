#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace huiliu::connectors {

/// A prepared statement. Bound text must live until run() or step() is done; what is not bound is
/// null.
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  void bind_integer(int parameter, std::int64_t value);
  void bind_real(int parameter, double value);
  void bind_text(int parameter, std::string_view text);
  void bind_blob(int parameter, std::string_view bytes);
  /// Executes to the end and makes ready for the next time.
  runtime::Status run();
  /// Moves to the next row of a query.
  runtime::Status step(bool& row);
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  friend class Database;
  sqlite3_stmt* statement_ = nullptr;
};

/// A connection in WAL mode with full durability. One thread.
class Database {
 public:
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// `busy_ms`: how long a call waits for other connections before it is unavailable; `ending`: it
  /// waits no longer.
  runtime::Status open(const std::string& path, int busy_ms = 5000,
                       std::function<bool()> ending = {});
  runtime::Status run(const std::string& sql);
  runtime::Status prepare(const std::string& sql, Statement& statement);
  runtime::Status columns_of(const std::string& table, std::vector<std::string>& names);
  void roll_back();

 private:
  static int keep_waiting(void* database, int calls);

  sqlite3* database_ = nullptr;
  int busy_ms_ = 0;
  std::function<bool()> ending_;
};

}  // namespace huiliu::connectors
