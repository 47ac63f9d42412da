#pragma once

#include <deque>
#include <map>
#include <string>

#include "connectors/kafka/source/partition_set.h"

namespace huiliu::connectors::kafka {

/// Makes slices of the messages that were fetched and wait; each slice is of one partition. What
/// waits of a partition comes in as few slices as it fits: the brokers send a few messages of each
/// of many partitions in turn, and a slice for each of those would cost more than the messages.
class SliceFiller {
 public:
  /// All outlive the object; `context` is filled before the first slice.
  SliceFiller(const ReaderOptions& options, const runtime::SourceContext& context,
              PartitionSet& partitions)
      : options_(options), context_(context), partitions_(partitions) {}

  /// Queues a message, or the notice that a partition's end was reached.
  void add(Message message);
  bool is_empty() const { return turns_.empty(); }
  /// Forgets what waits, before the client is closed.
  void clear() {
    turns_.clear();
    waiting_.clear();
    parked_.clear();
  }
  /// What waits of the partition, and what is added of it, is passed on only after unpark().
  void park(const Partition& partition);
  void unpark(Partition& partition);
  bool has_parked() const { return !parked_.empty(); }
  /// Forgets what waits of the partition.
  void drop(const Partition& partition);

  /// Takes messages of the partition that has waited longest, as many as fit; kIdle if none of them
  /// is to be passed on.
  runtime::ReadResult fill(runtime::Slice& slice);
  /// Makes a slice without messages that says all positions.
  runtime::ReadResult pin(runtime::Slice& slice);

 private:
  void take_in(runtime::Slice& slice, Partition& partition, const rd_kafka_message_t& message);
  void append(runtime::Slice& slice, Partition& partition, const rd_kafka_message_t& message);
  bool take_headers(const rd_kafka_message_t& message);

  const ReaderOptions& options_;
  const runtime::SourceContext& context_;
  PartitionSet& partitions_;
  // Partitions of which something waits, and that in its order. An empty queue stays for the next.
  std::deque<Partition*> turns_;
  std::map<const Partition*, std::deque<Message>> waiting_;
  std::map<const Partition*, std::deque<Message>> parked_;
  std::string headers_;  // scratch
};

}  // namespace huiliu::connectors::kafka
