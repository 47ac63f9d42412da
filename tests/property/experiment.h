#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace huiliu::property {

/// What a run leaves behind.
struct Results {
  std::string error;                         ///< the run failed
  std::map<std::string, std::string> files;  ///< sink → its bytes
  std::map<std::string, std::string> state;  ///< table → its rows, in the order of keys
};

struct Schedule {
  unsigned threads = 1;
  std::uint64_t seed = 1;  ///< of the order in which parts of the engine take their steps
  bool real = false;       ///< real threads instead
  bool per_epoch = false;  ///< time passes by chance, so epochs end by chance
  std::size_t slice_bytes = 0;
  std::size_t piece_rows = 0;  ///< what comes out of one shard's state in one slice
};

/// Runs the topology with an engine of its own on an empty state; `out` is the folder of its sinks.
Results run(const std::string& topology_path, const std::string& out, const Schedule& schedule);

}  // namespace huiliu::property
