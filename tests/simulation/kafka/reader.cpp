// The part of a simulated client that reads assigned partitions.
#include <algorithm>
#include <cstring>

#include "tests/simulation/kafka/client.h"
#include "tests/simulation/kafka/message.h"

namespace huiliu::simulation {

void ReaderPart::assign(const rd_kafka_topic_partition_list_t* list, bool anew) {
  if (anew) positions_.clear();
  if (list == nullptr) return;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& one = list->elems[i];
    positions_[{one.topic, one.partition}] = {one.offset, -1};
  }
}

void ReaderPart::unassign(const rd_kafka_topic_partition_list_t* list) {
  for (int i = 0; i < list->cnt; ++i) {
    positions_.erase({list->elems[i].topic, list->elems[i].partition});
  }
}

std::size_t ReaderPart::fetch(Micros wait, rd_kafka_message_t** messages, std::size_t most) {
  Scheduler& scheduler = client_.scheduler();
  scheduler.sleep(wait);
  std::size_t count = 0;
  const Faults& faults = client_.in_cluster().faults;
  for (auto& [partition, position] : positions_) {
    if (count == most) break;
    // Its answer is still on the way.
    if (scheduler.chance(0.2 + faults.request_lost + faults.response_lost)) continue;
    count += fetch_one(partition, position, messages + count, most - count);
  }
  return count;
}

std::size_t ReaderPart::fetch_one(const PartitionId& partition, Position& position,
                                  rd_kafka_message_t** messages, std::size_t most) {
  const Log* const log = client_.broker().log(partition);
  if (log == nullptr || client_.scheduler().now() < log->away_until) return 0;
  rd_kafka_topic_t* const topic = client_.topic(partition.first);
  std::size_t count = 0;
  if (position.next < log->begin || position.next > log->next) {
    messages[0] =
        make_message(topic, partition.second, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, position.next);
    return 1;
  }
  const std::int64_t end = committed_only_ ? log->stable() : log->next;
  std::size_t at = log->find(position.next);
  // A fetch ends somewhere.
  std::size_t left = 1 + client_.scheduler().below(40);
  for (; at < log->records.size() && count < most && left > 0; ++at) {
    const LogRecord& record = log->records[at];
    if (record.offset >= end) break;
    position.next = record.offset + 1;
    if (!log->visible(record, committed_only_)) continue;
    messages[count++] = make_message(topic, partition.second, record);
    --left;
  }
  const bool all = at == log->records.size() || log->records[at].offset >= end;
  if (all) position.next = std::max(position.next, end);  // behind what compaction has removed
  if (tells_end_ && all && count < most && position.told_end != position.next) {
    position.told_end = position.next;
    messages[count++] =
        make_message(topic, partition.second, RD_KAFKA_RESP_ERR__PARTITION_EOF, position.next);
  }
  return count;
}

}  // namespace huiliu::simulation
