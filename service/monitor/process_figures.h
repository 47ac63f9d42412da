#pragma once

#include <cstdint>

namespace huiliu::service {

/// What the system says of this process. What it does not say is 0.
struct ProcessFigures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t threads = 0;
  std::uint64_t open_descriptors = 0, most_descriptors = 0;
};
ProcessFigures process_figures();

}  // namespace huiliu::service
