#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/kafka/client/client.h"
#include "connectors/kafka/source/start_offset.h"
#include "runtime/component/source.h"

namespace huiliu::connectors::kafka {

struct ReaderOptions {
  Connection connection;
  std::vector<std::string> topics;  ///< names; those with ^ in front are patterns (ECMAScript)
  StartAt start = StartAt::kCommitted;
  std::int64_t start_time_ms = 0;
  std::string group;  ///< whose committed offsets kCommitted takes where the topology has none
  std::string backend_group;  ///< of the topology's backend
  OnMissing on_missing = OnMissing::kFail;
  bool own = false;        ///< rows that the engine itself has written
  bool headers = false;    ///< whether a field is of one
  bool until_end = false;  ///< the input ends with what is there at the start
  std::uint64_t prefetch_bytes = 128u << 20;
  std::int64_t discover_ms = 10'000;  ///< how often new partitions and topics are looked for
};

/// Reads committed messages of all partitions; slices are of one partition each.
std::unique_ptr<runtime::SourceReader> make_kafka_reader(ReaderOptions options);

}  // namespace huiliu::connectors::kafka
