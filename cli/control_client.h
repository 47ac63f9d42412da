#pragma once

#include <string>

#include "cli/monitor_address.h"

namespace huiliu::cli {

/// A command to a running topology.
struct ControlCommand {
  std::string name;        ///< as below /control/
  MonitorOptions to;       ///< whom
  std::string token_file;  ///< "": no token goes along
  std::string level;       ///< of log-level
  int timeout = 30;        ///< seconds until the process answers whatever is so
};

/// Gives it, waits for the answer, prints what it means, and gives the exit code.
int give_command(const ControlCommand& command);

}  // namespace huiliu::cli
