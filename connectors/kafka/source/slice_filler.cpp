#include "connectors/kafka/source/slice_filler.h"

#include <algorithm>
#include <utility>

#include "connectors/kafka/client/message_frame.h"

namespace huiliu::connectors::kafka {

using runtime::ReadResult;
using runtime::Slice;

namespace {
constexpr std::size_t kReadable = 64;  // bytes behind a slice's
}  // namespace

void SliceFiller::add(Message message) {
  Partition* const partition = partitions_.find(*message);
  if (partition == nullptr) return;
  if (!parked_.empty()) {
    const auto parked = parked_.find(partition);
    if (parked != parked_.end()) return parked->second.push_back(std::move(message));
  }
  std::deque<Message>& waiting = waiting_[partition];
  if (waiting.empty()) turns_.push_back(partition);
  waiting.push_back(std::move(message));
}

void SliceFiller::park(const Partition& partition) {
  std::erase(turns_, &partition);
  parked_[&partition] = std::exchange(waiting_[&partition], {});
}

void SliceFiller::unpark(Partition& partition) {
  const auto parked = parked_.find(&partition);
  if (parked == parked_.end()) return;
  if (!parked->second.empty()) turns_.push_back(&partition);
  waiting_[&partition] = std::move(parked->second);
  parked_.erase(parked);
}

void SliceFiller::drop(const Partition& partition) {
  std::erase(turns_, &partition);
  waiting_.erase(&partition);
  const auto parked = parked_.find(&partition);
  if (parked != parked_.end()) parked->second.clear();
}

ReadResult SliceFiller::fill(Slice& slice) {
  slice.bytes.clear();
  Partition& partition = *turns_.front();
  std::deque<Message>& waiting = waiting_[&partition];
  while (!waiting.empty() && slice.bytes.size() < context_.slice_bytes) {
    take_in(slice, partition, *waiting.front());
    waiting.pop_front();
  }
  if (waiting.empty()) turns_.pop_front();
  if (slice.bytes.empty()) return ReadResult::kIdle;
  if (!waiting.empty()) partitions_.step(partition, waiting.front()->offset);
  slice.bytes.reserve(slice.bytes.size() + kReadable);
  name_partition(slice, partition);
  partitions_.say_position(slice, partition);
  return ReadResult::kSlice;
}

void SliceFiller::take_in(Slice& slice, Partition& partition, const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    partitions_.step(partition, message.offset);
    return;
  }
  // librdkafka before 2.4 may deliver messages of a fetch that was given up: those are before
  // `next`, and were read already.
  const bool is_new = message.offset >= partition.next;
  const bool is_input = partition.end < 0 || message.offset < partition.end;
  if (is_new && is_input) append(slice, partition, message);
  if (is_new && !is_input) {
    partitions_.step(partition, message.offset);
    partition.passed_end = true;
  }
  if (partition.end >= 0 && message.offset + 1 >= partition.end) partition.done = true;
}

ReadResult SliceFiller::pin(Slice& slice) {
  slice.bytes.clear();
  slice.bytes.reserve(kReadable);
  partitions_.say_all(slice);
  return ReadResult::kSlice;
}

void SliceFiller::append(Slice& slice, Partition& partition, const rd_kafka_message_t& message) {
  if (slice.bytes.empty()) slice.first_offset = static_cast<std::uint64_t>(message.offset);
  partition.next = message.offset + 1;
  MessageHead head;
  head.offset = message.offset;
  head.timestamp = partition.time = time_of(message);
  headers_.clear();
  // If the headers cannot be read, a field of one would be null as if there were no header: the
  // decoder refuses the message instead.
  if (options_.headers && !take_headers(message)) head.headers_size = -1;
  append_frame(slice.bytes, head, message.payload, message.len, message.key, message.key_len,
               headers_);
}

// False if there are some and they cannot be read.
bool SliceFiller::take_headers(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_message_headers(&message, &headers);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code == RD_KAFKA_RESP_ERR__NOENT;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    append_header(headers_, name, value, size);
  }
  return true;
}

}  // namespace huiliu::connectors::kafka
