#pragma once

#include <optional>
#include <string>

#include "net/http_get.h"

namespace CLI {
class App;
}

namespace huiliu::cli {

/// What a command is told of a running topology that it asks.
struct MonitorOptions {
  std::string of;  ///< HOST:PORT, https://HOST:PORT, or the topology file that says it
  net::TlsTrust trust;
};

/// --ca, --certificate and --key.
void add_trust_options(CLI::App& command, net::TlsTrust& trust);
/// These, and `of`.
void add_monitor_options(CLI::App& command, MonitorOptions& options);

/// Where a running topology answers: as the topology file `of` says, or `of` itself if there is no
/// such file. Of a file's topology its own certificate is trusted, unless authorities are named.
/// Nothing after an error that was printed.
std::optional<net::HttpPeer> monitor_peer(const MonitorOptions& options);

}  // namespace huiliu::cli
