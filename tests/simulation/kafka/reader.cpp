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
    positions_[{one.topic, one.partition}] = {.next = one.offset};
  }
}

void ReaderPart::unassign(const rd_kafka_topic_partition_list_t* list) {
  for (int i = 0; i < list->cnt; ++i) {
    const PartitionId partition(list->elems[i].topic, list->elems[i].partition);
    positions_.erase(partition);
    if (const auto to = forwarded_.find(partition); to != forwarded_.end()) to->second = nullptr;
  }
}

void ReaderPart::seek(const rd_kafka_topic_partition_list_t* list) {
  for (int i = 0; i < list->cnt; ++i) {
    const auto found = positions_.find({list->elems[i].topic, list->elems[i].partition});
    list->elems[i].err =
        found == positions_.end() ? RD_KAFKA_RESP_ERR__STATE : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (found == positions_.end()) continue;
    found->second.next = list->elems[i].offset;
    found->second.told_end = -1;
  }
}

void ReaderPart::pause(const rd_kafka_topic_partition_list_t* list, bool paused) {
  for (int i = 0; i < list->cnt; ++i) {
    const auto found = positions_.find({list->elems[i].topic, list->elems[i].partition});
    if (found != positions_.end()) found->second.paused = paused;
  }
}

void ReaderPart::forward(const PartitionId& partition, const rd_kafka_queue_t* queue) {
  forwarded_[partition] = queue;
}

void ReaderPart::forget(const rd_kafka_queue_t* queue) {
  for (auto& [partition, to] : forwarded_) {
    if (to == queue) to = nullptr;
  }
}

bool ReaderPart::goes_to(const PartitionId& partition, const rd_kafka_queue_t& queue) const {
  const auto to = forwarded_.find(partition);
  return to == forwarded_.end() ? queue.of_consumer : to->second == &queue;
}

std::size_t ReaderPart::fetch(const rd_kafka_queue_t& queue, Micros wait,
                              rd_kafka_message_t** messages, std::size_t most) {
  Scheduler& scheduler = client_.scheduler();
  scheduler.sleep(wait);
  std::size_t count = 0;
  const Faults& faults = client_.in_cluster().faults;
  for (auto& [partition, position] : positions_) {
    if (count == most) break;
    if (position.paused || !goes_to(partition, queue)) continue;
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
