#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace huiliu::connectors::kafka {

/// What the brokers refuse in a topic's messages, which would end the transaction and with it every
/// new start: the sink asks them, and its encoders refuse the record instead. Without brokers
/// (`huiliu test`, `explain`) nothing is bounded.
struct TopicLimits {
  static constexpr std::int64_t kUnbounded = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> before_ms = kUnbounded;  ///< how far a time may lie behind the clock
  std::atomic<std::int64_t> after_ms = kUnbounded;   ///< and how far ahead of it
  std::atomic<bool> needs_key = false;

  /// Records wait for their epoch's end, and the brokers' clocks are not this one: a little less
  /// than the bounds is taken.
  bool takes_time(std::int64_t time_ms, std::int64_t now_ms) const;
};

/// The same for all of the process: encoders are made before the brokers are asked.
std::shared_ptr<TopicLimits> limits_of(const std::string& bootstrap, const std::string& topic);

}  // namespace huiliu::connectors::kafka
