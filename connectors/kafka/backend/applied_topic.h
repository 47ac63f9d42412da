#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace huiliu::connectors::kafka {

/// A topic of the backend's that is applied to the local copy, and how far each partition is.
struct AppliedTopic {
  rd_kafka_topic_t* topic = nullptr;
  std::string topic_name;
  std::vector<std::int64_t> restart;  ///< per partition: behind the last record read
  std::vector<std::int64_t> written;  ///< per partition: the last record written here, or -1

  void start_at(std::vector<std::int64_t> offsets) {
    restart = std::move(offsets);
    written.assign(restart.size(), -1);
  }
  /// An offset that a restore may start at.
  std::int64_t next(std::size_t partition) const {
    return std::max(restart[partition], written[partition] + 1);
  }
};

}  // namespace huiliu::connectors::kafka
