#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "runtime/component/outputs.h"

namespace huiliu::runtime {

/// Where a thread spends its time, by node, measured in a few slices: the clock is read at each
/// step of each record, which would cost too much in all of them. Belongs to one thread.
class SelfTimer final : public Tracer {
 public:
  /// One slice in so many is looked at. It is a prime, so that no other period of a topology hides
  /// from it.
  static constexpr std::uint64_t kEvery = 61;
  static bool looks_at(std::uint64_t sequence) { return sequence % kEvery == 0; }

  /// What the engine does between nodes counts as node number `nodes`.
  explicit SelfTimer(std::size_t nodes) : spent_ns_(nodes + 1, 0) {}
  /// The outputs are a node's.
  void knows(const Outputs& outputs, std::size_t node) { nodes_[&outputs] = node; }

  /// The thread works for the engine until it enters a node.
  void start();
  bool runs() const { return !inside_.empty(); }
  /// Nanoseconds since start(), by node, then those of the engine.
  std::vector<std::int64_t> stop();

  /// The thread works for the node until leave(), as far as it does not enter another one.
  void enter(std::size_t node);
  void leave();

  /// Enters a node for as long as it exists, if the timer runs.
  class Visit {
   public:
    Visit(SelfTimer& timer, std::size_t node) : timer_(timer.runs() ? &timer : nullptr) {
      if (timer_ != nullptr) timer_->enter(node);
    }
    ~Visit() {
      if (timer_ != nullptr) timer_->leave();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    SelfTimer* timer_;
  };

  void enter(const Outputs& to, const Record& /*record*/) override { enter(node_of(to)); }
  void leave(const Outputs& /*to*/) override { leave(); }
  void emitted(const Outputs& /*from*/, std::size_t /*port*/, const Record& /*record*/) override {}
  void rejected(const Outputs& /*from*/, const Record& /*record*/,
                const Reject& /*reject*/) override {}
  void dropped(const Outputs& /*from*/, const Record& /*record*/,
               std::string_view /*why*/) override {}

 private:
  std::size_t engine() const { return spent_ns_.size() - 1; }
  std::size_t node_of(const Outputs& outputs) const;
  void account();

  std::map<const Outputs*, std::size_t> nodes_;  // few, and looked up in a few slices only
  std::vector<std::int64_t> spent_ns_;
  std::vector<std::size_t> inside_;  // nodes that the thread has entered, the current one last
  std::int64_t since_ns_ = 0;
};

}  // namespace huiliu::runtime
