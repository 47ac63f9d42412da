#pragma once

#include <cstdint>
#include <string>

#include "connectors/kafka/client/client.h"

namespace huiliu::connectors::kafka {

/// The offset that a consumer group has committed of a partition; negative if it has none.
runtime::Result<std::int64_t> group_offset(rd_kafka_t* client, const std::string& group,
                                           const std::string& topic, int partition);
/// The offset of the first message whose time is `time_ms` or later; negative if there is none.
runtime::Result<std::int64_t> offset_at_time(rd_kafka_t* client, const std::string& topic,
                                             int partition, std::int64_t time_ms);

}  // namespace huiliu::connectors::kafka
