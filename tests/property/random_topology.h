#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/topology/topology.h"
#include "tests/property/random.h"

namespace huiliu::property {

/// Types of all operators that exist.
std::vector<std::string> operator_types();

/// Draws a topology a node at a time. Each new node is shown to the loader, which knows what is
/// allowed; a node that it refuses is forgotten.
class RandomTopology {
 public:
  /// Writes inputs, tables and `topology.yaml` into the folder. `per_epoch`: where epochs end is
  /// chance, so what an operator gives per epoch goes into sinks of its own only.
  RandomTopology(Random& random, std::string folder, bool per_epoch);

  const std::string& path() const { return path_; }
  std::string text() const;
  /// Types of the operators that were taken.
  const std::set<std::string>& operators() const { return used_; }
  /// Sinks of which only the last row of each key can be compared.
  const std::set<std::string>& last_row_sinks() const { return last_row_sinks_; }
  /// Types for which draw_options() has nothing.
  const std::set<std::string>& unknown() const { return unknown_; }
  unsigned taken() const { return taken_; }
  unsigned refused() const { return refused_; }

 private:
  struct Stream {
    std::string name;
    runtime::Schema schema;
    bool is_read = false;
    bool per_epoch = false;
    bool is_silent = false;  ///< it gives changes and does not say so: no sink may have it
  };

  void draw_sources();
  void draw_operator();
  const Stream& draw_stream();
  bool take(const std::string& type, const std::string& inputs, const std::string& options);
  void draw_sinks();
  void add_sink(const std::vector<std::string>& inputs, bool last_row);
  std::string draw_inputs(const Stream& first);
  bool is_accepted(const std::string& node);

  Random& random_;
  std::string folder_, path_;
  bool per_epoch_;
  std::string head_, rejects_;
  std::vector<std::string> sources_, operators_, sinks_;
  std::vector<Stream> streams_;
  std::set<std::string> used_, last_row_sinks_, unknown_;
  unsigned taken_ = 0, refused_ = 0;
  std::string why_;  // a node was refused last
};

}  // namespace huiliu::property
