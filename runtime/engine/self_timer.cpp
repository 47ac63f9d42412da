#include "runtime/engine/self_timer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace huiliu::runtime {
namespace {

// Not the run's clock, which tells milliseconds; nothing that happens depends on this one.
std::int64_t now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

std::size_t SelfTimer::node_of(const Outputs& outputs) const {
  const auto found = nodes_.find(&outputs);
  return found == nodes_.end() ? engine() : found->second;
}

void SelfTimer::account() {
  const std::int64_t now = now_ns();
  spent_ns_[inside_.back()] += now - std::exchange(since_ns_, now);
}

void SelfTimer::start() {
  inside_.assign(1, engine());
  since_ns_ = now_ns();
}

void SelfTimer::enter(std::size_t node) {
  account();
  inside_.push_back(node);
}

void SelfTimer::leave() {
  account();
  inside_.pop_back();
}

std::vector<std::int64_t> SelfTimer::stop() {
  account();
  inside_.clear();
  std::vector<std::int64_t> spent(spent_ns_.size(), 0);
  spent.swap(spent_ns_);
  return spent;
}

}  // namespace huiliu::runtime
