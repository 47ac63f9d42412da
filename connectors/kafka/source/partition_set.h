#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/kafka/source/kafka_reader.h"
#include "connectors/kafka/source/shared_consumer.h"
#include "connectors/kafka/source/start_offset.h"
#include "connectors/kafka/source/topic_selection.h"

namespace huiliu::connectors::kafka {

/// A partition that the source reads, and how far.
struct Partition {
  std::string topic;
  int number = 0;
  const std::string* name = nullptr;  ///< interned
  std::uint64_t hash = 0;             ///< of the name
  std::string key;                    ///< of its position
  std::int64_t next = 0;              ///< offset to read next
  std::int64_t end = -1;              ///< until_end: where the input ends; -1: nowhere
  std::int64_t time = kNoTime;        ///< of the message before `next`
  std::int64_t expected = kNoTime;    ///< `time` as it was committed, until it is compared
  std::int64_t bare_to = -1;          ///< as in Position
  bool assigned = false;              ///< the client fetches it
  bool done = false;                  ///< it was read to its `end`
  bool reached_end = false;           ///< the brokers have said once that there is no more of it
  runtime::SplitId split = runtime::kNoSplit;
  bool split_ended = false;  ///< which the engine was told
  bool held = false;         ///< nothing of it is passed on for now
  bool passed_end = false;   ///< messages behind `end` are left to the next run
};

/// The partitions that a source reads: finds new ones, chooses where each starts, has the client
/// fetch them, and knows which of their positions no slice has said yet.
class PartitionSet {
 public:
  /// Both outlive the object; `context` is filled before open().
  PartitionSet(const ReaderOptions& options, const runtime::SourceContext& context)
      : options_(options), context_(context), topics_(options.topics, options.own) {}

  /// Takes the committed positions of the context.
  runtime::Status load_positions();
  /// What the source reads, by its options.
  const TopicSelection& topics() const { return topics_; }
  /// Takes in partitions that are not known yet. `first`: when the reader is opened.
  runtime::Status discover(ConsumerSeat& seat, bool first);
  /// Goes on in a topic that was recreated, by `on_missing`.
  runtime::Status start_over(ConsumerSeat& seat, Partition& partition);

  /// Of a message or of the end of a partition; null if it is of none that is read.
  Partition* find(const rd_kafka_message_t& message);
  Partition* find(runtime::SplitId split);
  /// Stops fetching the partition, or goes on, as its `held` says.
  void pause(ConsumerSeat& seat, const Partition& partition) const;
  /// False if the message is in the place of the last one that was read, and is another one.
  bool is_expected(const rd_kafka_message_t& message);
  /// Notes that there is no message before `offset`. That becomes part of the position although
  /// nothing was read: the brokers may delete the marks behind the last message before another
  /// message comes.
  void step(Partition& partition, std::int64_t offset);

  /// Tells the engine which partitions have been read to their `end`. Nothing of them waits.
  void end_splits();
  /// Whether every partition was read to its `end`.
  bool all_done() const;
  /// Whether the end of every partition was reached once, so that what was there at the start has
  /// been fetched.
  bool all_reached_end() const;
  /// Whether a position must be in a slice soon, message or not.
  bool has_unsaid() const { return keeps_start_ || stepped_; }
  /// Adds the position of the partition to the slice, and those of all that no slice has said yet.
  void say_position(runtime::Slice& slice, const Partition& partition);
  /// Makes a slice without messages that says the positions of all.
  void say_all(runtime::Slice& slice);

 private:
  bool owned(int number) const;
  bool seen_others(int number) const;
  runtime::Status add(rd_kafka_t* client, const std::string& topic, int number, bool first);
  runtime::Result<StartDecision> start_of(rd_kafka_t* client, const Partition& partition,
                                          const PartitionFacts& facts) const;
  runtime::Result<std::int64_t> checked(const Partition& partition, const StartDecision& decision,
                                        const OffsetRange& range) const;
  runtime::Status assign(ConsumerSeat& seat);
  void add_all_positions(runtime::Slice& slice);
  void end_split(Partition& partition);

  const ReaderOptions& options_;
  const runtime::SourceContext& context_;
  TopicSelection topics_;
  std::map<std::string, Position> committed_;
  std::map<std::pair<std::string, int>, Partition> partitions_;
  Partition* last_ = nullptr;  // found last
  const rd_kafka_topic_t* last_rkt_ = nullptr;
  bool pinned_ = false;       // every partition's position is in a slice
  bool keeps_start_ = false;  // and must be in one soon: the start is chosen only once
  bool stepped_ = false;      // over marks of transactions, which no slice says yet
};

/// The time of a message, or kNoTime.
std::int64_t time_of(const rd_kafka_message_t& message);
/// Makes the slice one of this partition.
void name_partition(runtime::Slice& slice, const Partition& partition);

}  // namespace huiliu::connectors::kafka
