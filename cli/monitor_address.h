#pragma once

#include <string>

namespace huiliu::cli {

/// Where a running topology answers: the address that the topology file `of` says, or `of` itself
/// if there is no such file. "" after an error that was printed.
std::string monitor_address(const std::string& of);

}  // namespace huiliu::cli
