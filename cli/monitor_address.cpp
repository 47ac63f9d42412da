#include "cli/monitor_address.h"

#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/topology_loading.h"

namespace huiliu::cli {

void add_monitor_options(CLI::App& command, MonitorOptions& options) {
  command
      .add_option("of", options.of, "IP:PORT, https://HOST:PORT, or the topology file that says it")
      ->required();
  add_trust_options(command, options.trust);
}

void add_trust_options(CLI::App& command, net::TlsTrust& trust) {
  command.add_option("--ca", trust.ca,
                     "file with the certificates that an https server is known by; otherwise the "
                     "topology file's own, or those of the machine");
  CLI::Option* certificate =
      command.add_option("--certificate", trust.certificate,
                         "file with the certificate that a server with `client_ca` asks for");
  CLI::Option* key = command.add_option("--key", trust.key, "file with its key");
  certificate->needs(key);
  key->needs(certificate);
}

std::optional<net::HttpPeer> monitor_peer(const MonitorOptions& options) {
  if (!std::filesystem::exists(options.of)) return net::HttpPeer(options.of, options.trust);
  const auto topology = load_for_run(options.of);
  if (!topology) return std::nullopt;
  if (topology->listen.empty()) {
    fmt::print(stderr, "error: {} does not say `server: {{listen: IP:PORT}}`; name the address\n",
               options.of);
    return std::nullopt;
  }
  const std::string& certificate = topology->tls.certificate;
  if (certificate.empty()) return net::HttpPeer(topology->listen);
  net::TlsTrust trust = options.trust;
  if (trust.ca.empty()) trust.pinned = certificate;
  return net::HttpPeer("https://" + topology->listen, trust);
}

}  // namespace huiliu::cli
