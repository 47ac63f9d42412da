#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kafka/client/client.h"
#include "runtime/component/figure.h"

namespace huiliu::connectors::kafka {

/// Key figures of a client, from what librdkafka says of itself (its STATISTICS.md) every five
/// seconds, or as `statistics.interval.ms` says; 0 turns them off. Thread-safe.
class ClientStatistics {
 public:
  /// The settings of a client whose statistics are wanted.
  static Settings wanted(Settings own, const Connection& connection);

  /// `json` as librdkafka gives it; what is none changes nothing.
  void take(std::string_view json);
  /// Empty before the first were taken. `client` is what their label says.
  std::vector<runtime::Figure> figures(const std::string& client) const;

 private:
  struct Numbers {
    double queued = 0, queued_bytes = 0;  // messages
    double sent_bytes = 0, received_bytes = 0;
    double errors = 0, timeouts = 0, disconnects = 0;
    double waiting = 0;        // requests that are not answered
    double up = 0;             // brokers that it is connected to
    double round_trip_s = -1;  // 99 % are shorter, at the slowest broker
  };

  mutable std::mutex mutex_;
  bool taken_ = false;
  Numbers last_;
};

}  // namespace huiliu::connectors::kafka
