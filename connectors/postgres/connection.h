#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"

struct pg_conn;
struct pg_result;

namespace huiliu::connectors::postgres {

/// Keywords of libpq with their values, the later ones before the earlier.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// A parameter of a statement: text, or binary if its type is said.
struct Argument {
  std::string_view bytes;
  std::uint32_t type = 0;  ///< its OID; 0 = text that the server takes by the place it stands in
};

/// What a statement came to.
struct Answer {
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::uint64_t affected = 0;
  std::string done;  ///< the first word of what the server says it has done, such as COMMIT
};

/// A session with a server. Waits for it on the socket, so that whoever ends the topology need not
/// wait for a server that has fallen silent. One thread.
class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// `answer_within`: how long the server may be silent before the session is given up, which is
  /// unavailable; `ending`: whether to give up sooner. Messages never hold a setting's value.
  runtime::Status open(const Settings& settings, std::chrono::milliseconds connect_within,
                       std::chrono::milliseconds answer_within, std::function<bool()> ending);
  bool is_open() const { return connection_ != nullptr; }
  void close();

  /// Statements without parameters, also several.
  runtime::Status run(const std::string& sql, Answer* answer = nullptr);
  runtime::Status run(const std::string& sql, const std::vector<Argument>& arguments,
                      Answer* answer = nullptr);
  /// COPY ... FROM STDIN: copy_begin(), then any number of copy_put(), then copy_end().
  runtime::Status copy_begin(const std::string& sql);
  runtime::Status copy_put(std::string_view bytes);
  runtime::Status copy_end();

 private:
  runtime::Status connect();
  runtime::Status wait(bool to_write);
  runtime::Status flush();
  runtime::Status finish(Answer* answer);
  runtime::Status lost();
  runtime::Status failure(const pg_result* result);
  void begin_waiting();

  pg_conn* connection_ = nullptr;
  std::chrono::milliseconds answer_within_{0};
  std::chrono::steady_clock::time_point deadline_;
  std::optional<std::chrono::steady_clock::time_point> ends_at_;
  std::function<bool()> ending_;
};

}  // namespace huiliu::connectors::postgres
