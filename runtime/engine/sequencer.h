#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/base/backoff.h"
#include "runtime/component/backend.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/run_context.h"

namespace huiliu::runtime {

/// Cuts the input into slices and gives them their place in the total order. EngineThread threads
/// pull; one at a time reads. Also decides where epochs end.
class Sequencer {
 public:
  explicit Sequencer(RunContext& run) : run_(run) {}

  /// Opens the readers at their committed positions; `next_epoch` is the first to be committed.
  Status open(std::uint64_t next_epoch);

  struct Work {
    SliceInfoPtr info;
    std::shared_ptr<SliceMemory> memory;  ///< holds the slice; null for a slice without input
    std::size_t source_node = 0;
  };
  /// The next slice, or nothing now (no input, window full, or all given out).
  std::optional<Work> pull();
  /// Time until pull() may have something that nobody signals: input, or an epoch's end.
  std::int64_t ms_to_next();
  /// Bytes read and in all, over all sources.
  std::pair<std::uint64_t, std::uint64_t> progress();

 private:
  struct Feed {
    std::size_t node = 0;
    std::unique_ptr<SourceReader> reader;
    bool ended = false;
    std::int64_t not_before = 0;
    Backoff backoff;        // after a failure
    std::int64_t idle = 0;  // after nothing came
  };

  std::optional<Work> read(Feed& feed, std::size_t index, std::int64_t now);
  Work control(bool ends_input);
  bool epoch_is_due(std::int64_t now, const Pacing& pacing) const;
  void end_epoch(SliceInfo& info, std::int64_t now);

  RunContext& run_;
  std::mutex mutex_;
  std::vector<Feed> feeds_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t next_epoch_ = 1;
  std::int64_t epoch_started_ = 0;
  bool dirty_ = false;  // slices were given out since the last epoch ended
  bool done_ = false;   // under the mutex
};

}  // namespace huiliu::runtime
