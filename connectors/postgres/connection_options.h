#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "connectors/postgres/connection.h"
#include "runtime/component/config.h"
#include "runtime/component/descriptor.h"

namespace huiliu::connectors::postgres {

/// How a server is reached.
struct ConnectionOptions {
  Settings settings;
  std::string place;  ///< "HOST:PORT/DATABASE" for messages, without what is secret
  std::chrono::milliseconds connect_within{0};
  std::chrono::milliseconds statement_within{0};

  static ConnectionOptions parse(const runtime::Config& config, runtime::Diagnostics& diagnostics);
  /// For the descriptor.
  static std::vector<runtime::Option> options();

  /// What the session is told after it is open.
  std::string session_sql() const;
  /// How long a silent server is waited for: longer than it lets a statement run.
  std::chrono::milliseconds answer_within() const;
};

}  // namespace huiliu::connectors::postgres
