#include "connectors/kafka/client/offsets.h"

#include <fmt/format.h>

#include "connectors/kafka/client/topics.h"

namespace huiliu::connectors::kafka {

using runtime::Result;

namespace {
// The call may succeed although the brokers refuse the partition: who looks at the call's result
// only would take the partition for one without an offset.
Result<std::int64_t> answer(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* list,
                            const std::string& what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return as_status(error_of(code), what);
  if (Error refused = error_of(list->elems[0].err)) return as_status(refused, what);
  return list->elems[0].offset;
}
}  // namespace

Result<std::int64_t> group_offset(rd_kafka_t* client, const std::string& group,
                                  const std::string& topic, int partition) {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  const rd_kafka_resp_err_t code = rd_kafka_committed(client, list.get(), kRequestMs);
  return answer(code, list.get(), "committed offsets of group " + group);
}

Result<std::int64_t> offset_at_time(rd_kafka_t* client, const std::string& topic, int partition,
                                    std::int64_t time_ms) {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = time_ms;
  const rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(client, list.get(), kRequestMs);
  return answer(code, list.get(), fmt::format("offsets by time of {}[{}]", topic, partition));
}

}  // namespace huiliu::connectors::kafka
