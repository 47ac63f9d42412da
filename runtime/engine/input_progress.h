#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/messages.h"
#include "runtime/topology/topology.h"

namespace huiliu::runtime {

/// How far a split has been read, as of the last commit.
struct SplitProgress {
  std::string key;                   ///< "" of a source that has no splits
  std::int64_t time = kNoEventTime;  ///< the latest event time of its records
  std::int64_t heard_ms = 0;       ///< the clock's time when its last slice was taken; 0: none was
  std::uint64_t bytes = 0;         ///< read in this run
  std::optional<Backlog> backlog;  ///< when its last slice was read, if the reader knows it
  bool idle = false;               ///< time does not wait for it, since nothing comes
  bool held = false;               ///< it is far ahead of its alignment group, and is not read
};

struct SourceProgress {
  std::size_t node = 0;
  std::uint64_t bytes = 0, slices = 0;  ///< read in this run
  std::size_t queued = 0;               ///< slices that were read ahead when the last was taken
  bool idle = false;                    ///< it has no split to read
  bool ended = false;                   ///< nothing will come of it any more
  std::size_t splits = 0, idle_splits = 0, held_splits = 0;  ///< that have not ended
  /// At most kMostShown of them: first those that time waits for, the one furthest behind first.
  std::vector<SplitProgress> furthest_behind;
  static constexpr std::size_t kMostShown = 256;
};

/// What the slices say of where they come from.
class InputBook {
 public:
  explicit InputBook(const Topology& topology);

  void saw(const SliceInfo& slice);
  /// By source, in the order of nodes.
  std::vector<SourceProgress> view() const;

 private:
  struct Source {
    SourceProgress progress;
    std::map<SplitId, SplitProgress> splits;
  };
  void apply(const SplitEvent& event);

  std::vector<Source> sources_;
};

/// Who keeps a node's watermark where it is.
struct TimeHolder {
  std::size_t source = 0;  ///< node
  std::string split;
  std::int64_t time = kNoEventTime;  ///< kNoEventTime: no record of it has come
};
/// Nothing if all that reach the node have ended or are idle.
std::optional<TimeHolder> time_holder(const Topology& topology, std::size_t node,
                                      const std::vector<SourceProgress>& input);

}  // namespace huiliu::runtime
