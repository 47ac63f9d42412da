#include "cli/monitor_address.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "cli/topology_loading.h"

namespace huiliu::cli {

std::string monitor_address(const std::string& of) {
  if (!std::filesystem::exists(of)) return of;
  const auto topology = load_for_run(of);
  if (!topology) return "";
  if (topology->listen.empty()) {
    fmt::print(stderr, "error: {} does not say `server: {{listen: IP:PORT}}`; name the address\n",
               of);
  }
  return topology->listen;
}

}  // namespace huiliu::cli
