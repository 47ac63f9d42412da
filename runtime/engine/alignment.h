#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/engine/messages.h"
#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// Holds back splits that are far ahead of the slowest of their group, so that what windows must
/// keep for the slowest stays bounded. Splits of which no record has come yet, and idle ones, are
/// waited for by nobody.
class Alignment {
 public:
  explicit Alignment(const Topology& topology);

  bool is_used() const { return !groups_.empty(); }
  /// Notes what the slice says of splits.
  void saw(const SliceInfo& slice);
  /// The slice is decoded: its split has come to its latest event time.
  void reached(const SliceInfo& slice);

  struct Change {
    std::uint32_t source = 0;
    SplitId split = kNoSplit;
    bool held = false;
  };
  /// Which splits are to be held back, or read on, since the last call.
  std::vector<Change> changes();

 private:
  struct Split {
    std::int64_t time = kNoEventTime;
    bool idle = false;
    bool held = false;
  };
  struct Group {
    std::int64_t most_ms = 0;
    std::map<std::pair<std::uint32_t, SplitId>, Split> splits;
  };
  Group* group_of(std::uint32_t source);

  std::vector<std::string> names_;  // per source; "" = none
  std::map<std::string, Group> groups_;
  bool changed_ = false;
};

}  // namespace huiliu::runtime
