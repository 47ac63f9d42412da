#include "connectors/kafka/backend/ownership.h"

#include "connectors/kafka/client/position.h"

namespace huiliu::connectors::kafka {

using runtime::EpochCommit;
using runtime::Status;

ProgressLog::Meta Ownership::meta(std::string_view prefix) const {
  return progress_.with_prefix(prefix);
}

Status Ownership::produce_progress(TopicTransaction& transaction, const EpochCommit& commit) {
  for (const auto& [key, value] : commit.meta) {
    if (!keeps(key)) continue;
    auto written = progress_.put(transaction, partition_of(key), key, value);
    if (!written.is_ok()) return written.status();
  }
  for (const auto& [key, value] : progress_.take_next()) {
    auto written = progress_.put(transaction, partition_of(key), key, value);
    if (!written.is_ok()) return written.status();
  }
  return produce_epoch(transaction, commit);
}

Status Ownership::send_offsets(TopicTransaction& transaction, const EpochCommit& commit) {
  const PartitionList list(rd_kafka_topic_partition_list_new(8));
  for (const auto& [key, value] : commit.meta) {
    const auto place = parse_position_key(key);
    const auto position = place ? parse_position(value) : std::nullopt;
    if (!position) continue;
    rd_kafka_topic_partition_list_add(list.get(), place->topic.c_str(), place->partition)->offset =
        position->reached();
  }
  add_proof(*list);
  if (list->cnt == 0) return Status::ok();
  const GroupMetadata metadata = group();
  if (!metadata) return Status::restart("this worker has lost its shards");
  return transaction.send_offsets(list.get(), metadata.get());
}

}  // namespace huiliu::connectors::kafka
