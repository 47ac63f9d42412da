#include "connectors/postgres/connection.h"

#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "connectors/postgres/server_error.h"

namespace huiliu::connectors::postgres {

using runtime::Status;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kLook(100);
/// What is in work may come to its end when the topology is to stop.
constexpr std::chrono::milliseconds kGrace(2000);

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, Clear>;

std::string field_of(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

void take_rows(const PGresult* result, Answer& answer) {
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& cells = answer.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        cells.emplace_back();
      } else {
        cells.emplace_back(PQgetvalue(result, row, column));
      }
    }
  }
}

}  // namespace

void Connection::close() {
  if (connection_ != nullptr) PQfinish(std::exchange(connection_, nullptr));
}

Status Connection::open(const Settings& settings, std::chrono::milliseconds connect_within,
                        std::chrono::milliseconds answer_within, std::function<bool()> ending) {
  close();
  ending_ = std::move(ending);
  answer_within_ = answer_within;
  std::vector<const char*> names, values;
  for (const auto& [name, value] : settings) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(names.data(), values.data(), 1);
  if (connection_ == nullptr) return Status::unavailable("no memory for a connection");
  // Only so does a connection that fails give its SQLSTATE.
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  // What the server remarks is not for standard error.
  PQsetNoticeReceiver(
      connection_, [](void*, const PGresult*) {}, nullptr);
  begin_waiting();
  deadline_ = Clock::now() + connect_within;
  if (Status status = connect(); !status.is_ok()) return status;
  PQsetnonblocking(connection_, 1);
  return Status::ok();
}

Status Connection::connect() {
  if (PQstatus(connection_) == CONNECTION_BAD) return lost();
  // The rule of libpq: as if it had asked to write.
  for (PostgresPollingStatusType want = PGRES_POLLING_WRITING; want != PGRES_POLLING_OK;
       want = PQconnectPoll(connection_)) {
    if (want == PGRES_POLLING_FAILED) return lost();
    if (Status status = wait(want == PGRES_POLLING_WRITING); !status.is_ok()) return status;
  }
  return Status::ok();
}

void Connection::begin_waiting() {
  deadline_ = Clock::now() + answer_within_;
  ends_at_.reset();
}

/// Until the socket can be read, or also written.
Status Connection::wait(bool to_write) {
  for (;;) {
    pollfd socket{PQsocket(connection_), static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN),
                  0};
    // While it connects, what can be read before it can be written is an error.
    if (to_write && PQstatus(connection_) != CONNECTION_OK) socket.events = POLLOUT;
    if (poll(&socket, 1, static_cast<int>(kLook.count())) > 0) return Status::ok();
    const auto now = Clock::now();
    if (now >= deadline_) {
      close();
      return Status::unavailable("the server does not answer");
    }
    if (!ending_ || !ending_()) continue;
    if (!ends_at_) ends_at_ = now + kGrace;
    if (now < *ends_at_) continue;
    close();
    return Status::unavailable("the topology ends while the server does not answer");
  }
}

/// Ends the session, with the reason that libpq knows.
Status Connection::lost() {
  const std::string message = PQerrorMessage(connection_);
  const std::string code(sqlstate_in(message));
  std::string text = first_line(message);
  close();
  return server_error(code, text.empty() ? "the connection is lost" : text);
}

Status Connection::failure(const PGresult* result) {
  const std::string code = field_of(result, PG_DIAG_SQLSTATE);
  if (code.empty()) return lost();
  // The detail is left out: it quotes what stands in rows.
  std::string text = field_of(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string table = field_of(result, PG_DIAG_TABLE_NAME);
  const std::string column = field_of(result, PG_DIAG_COLUMN_NAME);
  const std::string constraint = field_of(result, PG_DIAG_CONSTRAINT_NAME);
  if (!table.empty()) text += " [" + table + (column.empty() ? "]" : "." + column + "]");
  if (!constraint.empty()) text += " [" + constraint + "]";
  return server_error(code, text);
}

Status Connection::flush() {
  for (;;) {
    const int left = PQflush(connection_);
    if (left == 0) return Status::ok();
    if (left < 0) return lost();
    if (Status status = wait(true); !status.is_ok()) return status;
    // A server that waits until its own answers are read would never read on.
    if (PQconsumeInput(connection_) == 0) return lost();
  }
}

/// Takes all results; the first error is what it came to.
Status Connection::finish(Answer* answer) {
  Status outcome = flush();
  while (connection_ != nullptr) {
    if (PQisBusy(connection_) != 0) {
      if (Status status = wait(false); !status.is_ok()) return status;
      if (PQconsumeInput(connection_) == 0) return lost();
      continue;
    }
    const ResultPointer result(PQgetResult(connection_));
    if (!result) break;
    const ExecStatusType kind = PQresultStatus(result.get());
    if (kind == PGRES_COPY_IN) return outcome;
    if (kind != PGRES_COMMAND_OK && kind != PGRES_TUPLES_OK) {
      if (outcome.is_ok()) outcome = failure(result.get());
    } else if (answer != nullptr) {
      take_rows(result.get(), *answer);
      answer->affected = std::strtoull(PQcmdTuples(result.get()), nullptr, 10);
      answer->done = PQcmdStatus(result.get());
    }
  }
  if (connection_ != nullptr && PQstatus(connection_) == CONNECTION_BAD) {
    // The server said why it ended the session, or it just went.
    Status gone = lost();
    return outcome.is_ok() ? gone : outcome;
  }
  return outcome;
}

Status Connection::run(const std::string& sql, Answer* answer) {
  begin_waiting();
  if (PQsendQuery(connection_, sql.c_str()) == 0) return lost();
  return finish(answer);
}

Status Connection::run(const std::string& sql, const std::vector<Argument>& arguments,
                       Answer* answer) {
  begin_waiting();
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  std::vector<std::string> texts;  // text must end with NUL
  texts.reserve(arguments.size());
  for (const Argument& argument : arguments) {
    types.push_back(argument.type);
    lengths.push_back(static_cast<int>(argument.bytes.size()));
    formats.push_back(argument.type == 0 ? 0 : 1);
    values.push_back(argument.type == 0 ? texts.emplace_back(argument.bytes).c_str()
                                        : argument.bytes.data());
  }
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(arguments.size()), types.data(),
                        values.data(), lengths.data(), formats.data(), 0) == 0) {
    return lost();
  }
  return finish(answer);
}

Status Connection::copy_begin(const std::string& sql) { return run(sql); }

Status Connection::copy_put(std::string_view bytes) {
  begin_waiting();
  for (;;) {
    const int taken = PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size()));
    if (taken < 0) return lost();
    // What libpq has not sent it keeps in memory.
    if (Status status = flush(); !status.is_ok() || taken == 1) return status;
  }
}

Status Connection::copy_end() {
  begin_waiting();
  for (;;) {
    const int taken = PQputCopyEnd(connection_, nullptr);
    if (taken < 0) return lost();
    if (taken == 1) return finish(nullptr);
    if (Status status = flush(); !status.is_ok()) return status;
  }
}

}  // namespace huiliu::connectors::postgres
