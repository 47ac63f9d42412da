#include "connectors/sqlite/database.h"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace huiliu::connectors {

using runtime::Status;

namespace {

/// Busy, full and input/output errors pass; the rest does not.
Status failure(sqlite3* database, int code) {
  const char* file = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  const std::string text =
      fmt::format("{}: {}", file == nullptr || *file == '\0' ? "database" : file,
                  database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database));
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return Status::unavailable(text);
    case SQLITE_FULL:
      return Status::unavailable(text + ": free space on the disk, it goes on by itself");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Status::corrupt(text + ". Restore it from a copy, or name a new file.");
    default:
      return Status::invalid(text);
  }
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  return *this;
}

void Statement::bind_integer(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_, parameter, value);
}
void Statement::bind_real(int parameter, double value) {
  sqlite3_bind_double(statement_, parameter, value);
}
void Statement::bind_text(int parameter, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(statement_, parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
void Statement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_STATIC);
}

Status Statement::run() {
  const int code = sqlite3_step(statement_);
  Status status = code == SQLITE_DONE || code == SQLITE_ROW
                      ? Status::ok()
                      : failure(sqlite3_db_handle(statement_), code);
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  return status;
}

Status Statement::step(bool& row) {
  const int code = sqlite3_step(statement_);
  row = code == SQLITE_ROW;
  if (row || code == SQLITE_DONE) return Status::ok();
  return failure(sqlite3_db_handle(statement_), code);
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
std::string Statement::text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

Database::~Database() { sqlite3_close_v2(database_); }

/// SQLite asks after each of its calls that found a lock.
int Database::keep_waiting(void* database, int calls) {
  constexpr int kPauseMs = 20;
  const auto* self = static_cast<const Database*>(database);
  if (calls >= self->busy_ms_ / kPauseMs || (self->ending_ && self->ending_())) return 0;
  sqlite3_sleep(kPauseMs);
  return 1;
}

Status Database::open(const std::string& path, int busy_ms, std::function<bool()> ending) {
  sqlite3_close_v2(std::exchange(database_, nullptr));
  // A connection is used by one thread at a time, so SQLite need not lock around each call, of
  // which a row with many columns makes many.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &database_, flags, nullptr);
  if (code != SQLITE_OK) return failure(database_, code);
  busy_ms_ = busy_ms;
  ending_ = std::move(ending);
  sqlite3_busy_handler(database_, keep_waiting, this);
  Status status = run("PRAGMA journal_mode = WAL");
  // The outbox forgets what was applied, so a commit must outlive a power cut.
  if (status.is_ok()) status = run("PRAGMA synchronous = FULL");
  // In KiB. Keys come in no order, so that most rows touch another page.
  if (status.is_ok()) status = run("PRAGMA cache_size = -16384");
  return status;
}

Status Database::run(const std::string& sql) {
  const int code = sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status::ok() : failure(database_, code);
}

Status Database::prepare(const std::string& sql, Statement& statement) {
  Statement made;
  const int code = sqlite3_prepare_v2(database_, sql.c_str(), -1, &made.statement_, nullptr);
  if (code != SQLITE_OK) return failure(database_, code);
  statement = std::move(made);
  return Status::ok();
}

Status Database::columns_of(const std::string& table, std::vector<std::string>& names) {
  Statement statement;
  Status status = prepare("SELECT name FROM pragma_table_info(?1)", statement);
  if (!status.is_ok()) return status;
  statement.bind_text(1, table);
  for (;;) {
    bool row = false;
    status = statement.step(row);
    if (!status.is_ok() || !row) return status;
    names.push_back(statement.text(0));
  }
}

void Database::roll_back() {
  if (database_ != nullptr && sqlite3_get_autocommit(database_) == 0) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

}  // namespace huiliu::connectors
