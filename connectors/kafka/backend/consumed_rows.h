#pragma once

#include <cstdint>

#include "connectors/kafka/backend/progress_log.h"
#include "runtime/component/backend.h"

namespace huiliu::connectors::kafka {

/// Deletes rows of repartition topics that their reader has consumed: nobody needs them any more.
/// Only rows of the engine's own topics are deleted: an input may have any name.
class ConsumedRows {
 public:
  /// Every half a minute; failing is only logged.
  void forget(rd_kafka_t* client, const runtime::StateNeeds& needs, const ProgressLog& progress);

 private:
  std::int64_t forgotten_ms_ = 0;  // when that was done last
};

/// The partitions of repartition topics with the committed positions of their readers.
PartitionList consumed_rows(const runtime::StateNeeds& needs, const ProgressLog& progress);

}  // namespace huiliu::connectors::kafka
