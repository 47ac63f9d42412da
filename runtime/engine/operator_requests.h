#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace huiliu::runtime {

/// How far what an operator asks has come.
struct OperatorState {
  bool pause_asked = false, drain_asked = false;
  /// The pause is in force: everything that was read is committed, the last of it with this epoch.
  std::optional<std::uint64_t> paused_with;
  bool operator==(const OperatorState&) const = default;
};

/// What an operator asks of a run while it goes on. Any thread asks; the sequencer takes it between
/// two slices, so that it has a place in the order, and says with which epoch.
class OperatorRequests {
 public:
  /// Never taken back.
  std::atomic<bool> drain{false};

  void ask_pause(bool pause) {
    const std::lock_guard lock(mutex_);
    pause_ = pause;
  }
  /// The sequencer, before it takes anything: whether it may not. It begins to take again in the
  /// same moment in which the pause is seen to be over.
  bool look() {
    const std::lock_guard lock(mutex_);
    if (!pause_) paused_with_.reset();
    return pause_;
  }
  /// The sequencer: everything that was read ends with this epoch, which may not be committed yet.
  void took_pause(std::uint64_t epoch) {
    const std::lock_guard lock(mutex_);
    paused_with_ = epoch;
  }
  /// `committed`: the last epoch that is.
  OperatorState state(std::uint64_t committed) const {
    const std::lock_guard lock(mutex_);
    OperatorState state{pause_, drain, paused_with_};
    if (state.paused_with && committed < *state.paused_with) state.paused_with.reset();
    return state;
  }

 private:
  mutable std::mutex mutex_;
  bool pause_ = false;
  std::optional<std::uint64_t> paused_with_;
};

}  // namespace huiliu::runtime
