#include "connectors/kafka/client/topic_limits.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace huiliu::connectors::kafka {

bool TopicLimits::takes_time(std::int64_t time_ms, std::int64_t now_ms) const {
  static constexpr std::int64_t kMostMarginMs = 60'000;
  const auto within = [](std::int64_t bound, std::int64_t distance) {
    return bound == kUnbounded || distance <= bound - std::min(bound / 10, kMostMarginMs);
  };
  if (time_ms <= 0) return true;  // the client takes its own time
  // Neither overflows: both are positive.
  return time_ms > now_ms ? within(after_ms, time_ms - now_ms)
                          : within(before_ms, now_ms - time_ms);
}

std::shared_ptr<TopicLimits> limits_of(const std::string& bootstrap, const std::string& topic) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, std::string>, std::shared_ptr<TopicLimits>> known;
  const std::lock_guard lock(mutex);
  std::shared_ptr<TopicLimits>& limits = known[{bootstrap, topic}];
  if (!limits) limits = std::make_shared<TopicLimits>();
  return limits;
}

}  // namespace huiliu::connectors::kafka
