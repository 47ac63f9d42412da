#pragma once

#include <string>
#include <utility>
#include <vector>

namespace huiliu::runtime {

/// A figure that a part of a run says of itself, for whoever watches. Names and units are those of
/// Prometheus without the prefix, such as "rocksdb_live_bytes"; one name has one help text and the
/// same labels everywhere.
struct Figure {
  std::string name;
  std::string help;
  std::vector<std::pair<std::string, std::string>> labels = {};
  double value = 0;
  bool counter = false;  ///< it only grows; else it goes up and down
};

}  // namespace huiliu::runtime
