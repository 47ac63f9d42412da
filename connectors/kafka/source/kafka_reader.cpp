#include "connectors/kafka/source/kafka_reader.h"

#include <algorithm>
#include <deque>
#include <map>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/client/position.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/source/message_decoder.h"
#include "runtime/base/failpoint.h"
#include "runtime/record/key.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::ReadResult;
using runtime::Slice;
using runtime::Status;
using runtime::StatusCode;

constexpr std::int64_t kNoTime = -1;
constexpr std::size_t kReadable = 64;  // bytes behind a slice's

struct Partition {
  std::string topic;
  int number = 0;
  const std::string* name = nullptr;  // interned
  std::uint64_t hash = 0;
  std::string key;               // of its position
  std::int64_t next = 0;         // offset to read next
  std::int64_t end = -1;         // until_end: where the input ends; -1: nowhere
  std::int64_t time = kNoTime;   // of the message before `next`
  std::int64_t known = kNoTime;  // `time` as it was committed, until it is compared
  std::int64_t bare_to = -1;     // as in Position
  bool assigned = false;
  bool done = false;
  bool passed_end = false;  // there are messages behind it that are left to the next run
};

class KafkaReader final : public runtime::SourceReader {
 public:
  explicit KafkaReader(ReaderOptions options) : options_(std::move(options)) {}
  ~KafkaReader() override {
    waiting_.clear();
    queue_.reset();
    close_consumer(std::move(client_));
  }

  Status open(const runtime::SourceContext& context) override {
    context_ = context;
    committed_.clear();
    for (const auto& [key, value] : context.positions) {
      const auto position = parse_position(value);
      if (!position) {
        return Status::corrupt(
            fmt::format("source '{}': the position '{}' of {} is none: something else has written "
                        "it into the state. Restore the state, or start afresh with another "
                        "`topology` id",
                        context.node_name, value, key));
      }
      committed_[key] = *position;
    }
    const std::uint64_t prefetch_kib = std::max<std::uint64_t>(1024, options_.prefetch_bytes >> 10);
    auto client = make_client(
        RD_KAFKA_CONSUMER, options_.connection,
        {{"group.id", client_group()},
         {"enable.auto.commit", "false"},
         {"enable.auto.offset.store", "false"},
         {"auto.offset.reset", "error"},
         {"isolation.level", "read_committed"},
         {"enable.partition.eof", "true"},
         // By bytes, not by number: librdkafka before 2.2 pauses fetching for a second at either.
         {"queued.min.messages", "10000000"},
         {"queued.max.messages.kbytes", std::to_string(prefetch_kib)},
         {"fetch.wait.max.ms", "100"},
         {"fetch.error.backoff.ms", "20"},
         {"topic.metadata.refresh.interval.ms", "10000"}});
    if (!client.is_ok()) return client.status();
    client_ = std::move(client.value());
    if (Status status = use_consumer_queue(client_.get()); !status.is_ok()) return status;
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    discovered_ms_ = context.clock->steady_ms();
    if (Status status = discover(true); !status.is_ok()) return status;
    return Status::ok();
  }

  ReadResult read(Slice& slice) override {
    if (!options_.until_end && now() - discovered_ms_ >= options_.discover_ms) {
      discovered_ms_ = now();
      if (Status status = discover(false); !status.is_ok()) {
        if (status.code() != StatusCode::kRestart) return failed(std::move(status));
        spdlog::warn("{}: {}; trying again later", context_.node_name, status.message());
      }
    }
    if (waiting_.empty()) {
      if (Status status = fetch(); !status.is_ok()) return failed(std::move(status));
    }
    if (!waiting_.empty()) return fill(slice);
    if (keeps_start_ || stepped_) return pin(slice);
    return ended() ? ReadResult::kEnd : ReadResult::kIdle;
  }

  Status failure() const override { return failure_; }

  std::pair<std::uint64_t, std::uint64_t> progress() const override { return {0, 0}; }

 private:
  /// Named, not joined: users have rights on groups.
  std::string client_group() const {
    if (!options_.group.empty()) return options_.group;
    return options_.backend_group.empty() ? context_.topology_id : options_.backend_group;
  }

  std::int64_t now() const { return context_.clock->steady_ms(); }

  ReadResult failed(Status status) {
    failure_ = std::move(status);
    return ReadResult::kFailed;
  }

  bool ended() const {
    return options_.until_end && std::all_of(partitions_.begin(), partitions_.end(),
                                             [](const auto& one) { return one.second.done; });
  }

  runtime::Result<std::vector<std::string>> topics() {
    std::vector<std::string> found;
    std::vector<std::string> all;
    for (const std::string& topic : options_.topics) {
      if (!topic.starts_with('^')) {
        if (!options_.own && is_internal(topic)) {
          return Status::invalid(fmt::format(
              "source '{}' reads {}, which the topology keeps for itself: it would feed itself. "
              "Read another topic",
              context_.node_name, topic));
        }
        found.push_back(topic);
        continue;
      }
      if (all.empty()) {
        auto names = topic_names(client_.get());
        if (!names.is_ok()) return names;
        all = std::move(names.value());
      }
      const std::regex pattern(topic);
      for (const std::string& name : all) {
        if (name.starts_with("__") || !std::regex_search(name, pattern)) continue;
        if (!is_internal(name)) {
          found.push_back(name);
        } else if (left_out_.insert(name).second) {
          spdlog::info("{}: {} fits {} and is left out: the topology keeps it for itself",
                       context_.node_name, name, topic);
        }
      }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  /// Whether this topology's backend writes it.
  bool is_internal(std::string_view name) const {
    const std::string& id = context_.topology_id;
    if (!name.starts_with(id) || !name.substr(id.size()).starts_with('.')) return false;
    const std::string_view rest = name.substr(id.size());
    if (rest == ".progress" || rest == ".work") return true;
    return rest.ends_with(".changelog") || rest.ends_with(".outbox") ||
           rest.ends_with(".repartition");
  }

  /// Takes in partitions that are not known yet. Those that came after the start are read from
  /// their beginning: nothing in them was there when the start was chosen.
  Status discover(bool first) {
    auto names = topics();
    if (!names.is_ok()) return names.status();
    const std::size_t before = partitions_.size();
    for (const std::string& topic : *names) {
      auto count = partition_count(client_.get(), topic);
      if (!count.is_ok()) return count.status();
      for (int number = 0; number < *count; ++number) {
        if (!owned(number) || partitions_.contains({topic, number})) continue;
        if (Status status = add(topic, number, first); !status.is_ok()) return status;
      }
    }
    if (partitions_.size() == before) return Status::ok();
    if (!first) {
      spdlog::info("{}: {} new partitions", context_.node_name, partitions_.size() - before);
    }
    pinned_ = false;
    return assign(first);
  }

  bool owned(int number) const {
    const auto& shards = context_.owned_shards;
    return shards.empty() ||
           std::find(shards.begin(), shards.end(), number % context_.shards) != shards.end();
  }

  Status add(const std::string& topic, int number, bool first) {
    Partition made;
    made.topic = topic;
    made.number = number;
    made.name = context_.intern(partition_name(topic, number));
    made.hash = runtime::KeyBuilder::hash_bytes(*made.name);
    made.key = position_key(topic, number);
    auto marks = offset_range(client_.get(), topic, number);
    if (!marks.is_ok()) return marks.status();
    auto start = start_of(made, *marks, first);
    if (!start.is_ok()) return start.status();
    made.next = *start;
    recognise(made, *marks);
    if (options_.until_end) {
      made.end = marks->end;
      made.done = made.next >= made.end && made.known == kNoTime;
    }
    partitions_.emplace(std::pair(topic, number), std::move(made));
    return Status::ok();
  }

  /// The message before the next one is read again where it still is, and must be the one that was
  /// read: a topic that was made anew may have as many messages as the old one.
  void recognise(Partition& partition, const OffsetRange& marks) const {
    const auto committed = committed_.find(partition.key);
    if (committed == committed_.end()) return;
    if (committed->second.bare_to <= marks.end) partition.bare_to = committed->second.bare_to;
    if (committed->second.next != partition.next) return;
    partition.time = committed->second.time;
    if (partition.next > marks.begin) partition.known = partition.time;
  }

  /// Where to go on in a topic that was made anew.
  Status start_again(Partition& partition) {
    auto marks = offset_range(client_.get(), partition.topic, partition.number);
    if (!marks.is_ok()) return marks.status();
    auto start = chosen(partition, partition.next, *marks,
                        "the message before it is not the one that was read: the topic was made "
                        "anew");
    if (!start.is_ok()) return start.status();
    std::erase_if(waiting_, [&](const Message& message) { return find(*message) == &partition; });
    partition.next = *start;
    partition.time = partition.known = kNoTime;
    partition.bare_to = -1;
    partition.passed_end = false;
    partition.done = partition.end >= 0 && partition.next >= partition.end;
    partition.assigned = false;
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number);
    Status status = as_status(take(rd_kafka_incremental_unassign(client_.get(), list.get())),
                              "reading " + context_.node_name);
    return status.is_ok() ? assign(false) : status;
  }

  runtime::Result<std::int64_t> start_of(const Partition& partition, const OffsetRange& marks,
                                         bool first) {
    const auto committed = committed_.find(partition.key);
    if (committed != committed_.end()) {
      std::int64_t offset = committed->second.next;
      if (runtime::mutant("kafka.reads_again")) offset = std::max(marks.begin, offset - 500);
      if (runtime::mutant("kafka.reads_ahead")) offset = std::min(marks.end, offset + 1);
      // What was deleted behind it were marks of transactions: nothing that was to be read.
      const std::int64_t bare_to =
          runtime::mutant("kafka.marks_not_counted") ? -1 : committed->second.bare_to;
      if (offset < marks.begin && marks.begin <= bare_to) return marks.begin;
      return checked(partition, offset, marks);
    }
    if (!first || is_new(partition)) return marks.begin;
    // Otherwise the next start finds the same by itself.
    keeps_start_ = options_.start != StartAt::kEarliest;
    switch (options_.start) {
      case StartAt::kEarliest:
        return marks.begin;
      case StartAt::kLatest:
        return marks.end;
      case StartAt::kCommitted:
        return of_group(partition, marks);
      case StartAt::kTime:
        return at_time(partition, marks);
    }
    return marks.begin;
  }

  /// A topology that has run before: the partition is new since then. Of a shard nothing may be
  /// known, with several workers, but that it had no partition of the source.
  bool is_new(const Partition& partition) const {
    if (context_.owned_shards.empty()) return !committed_.empty();
    return std::any_of(committed_.begin(), committed_.end(), [&](const auto& one) {
      const auto known = parse_position_key(one.first);
      return known && known->partition % context_.shards == partition.number % context_.shards;
    });
  }

  runtime::Result<std::int64_t> checked(const Partition& partition, std::int64_t offset,
                                        const OffsetRange& marks) {
    if (offset >= marks.begin && offset <= marks.end) return offset;
    return chosen(partition, offset, marks,
                  offset > marks.end ? "the topic was made anew or cut"
                                     : "messages were deleted before they were read");
  }

  /// By `on_missing`.
  runtime::Result<std::int64_t> chosen(const Partition& partition, std::int64_t offset,
                                       const OffsetRange& marks, std::string_view reason) const {
    switch (options_.on_missing) {
      case OnMissing::kEarliest:
        break;
      case OnMissing::kLatest:
        spdlog::warn("{}: {} is read from its end, {}, not from {}", context_.node_name,
                     *partition.name, marks.end, offset);
        return marks.end;
      case OnMissing::kFail:
        return Status::corrupt(fmt::format(
            "source '{}': {} has offsets {} to {}, but {} is to be read next: {}. Set `on_missing: "
            "earliest` or `latest` to go on there",
            context_.node_name, *partition.name, marks.begin, marks.end, offset, reason));
    }
    spdlog::warn("{}: {} is read from its beginning, {}, not from {}", context_.node_name,
                 *partition.name, marks.begin, offset);
    return marks.begin;
  }

  runtime::Result<std::int64_t> of_group(const Partition& partition, const OffsetRange& marks) {
    if (options_.group.empty()) return marks.begin;
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number);
    const rd_kafka_resp_err_t code = rd_kafka_committed(client_.get(), list.get(), kRequestMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return as_status(error_of(code), "committed offsets of group " + options_.group);
    }
    // The call may be well and the partition's answer not: it would be read from its beginning.
    if (Error refused = error_of(list->elems[0].err)) {
      return as_status(refused, "committed offsets of group " + options_.group);
    }
    const std::int64_t offset = list->elems[0].offset;
    if (offset < 0) return marks.begin;
    return checked(partition, offset, marks);
  }

  runtime::Result<std::int64_t> at_time(const Partition& partition, const OffsetRange& marks) {
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)
        ->offset = options_.start_time_ms;
    const rd_kafka_resp_err_t code =
        rd_kafka_offsets_for_times(client_.get(), list.get(), kRequestMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return as_status(error_of(code), "offsets by time of " + *partition.name);
    }
    if (Error refused = error_of(list->elems[0].err)) {
      return as_status(refused, "offsets by time of " + *partition.name);
    }
    const std::int64_t offset = list->elems[0].offset;
    return offset < 0 ? marks.end : offset;
  }

  /// Begins to fetch the partitions that are not fetched yet; the others go on undisturbed.
  Status assign(bool first) {
    const PartitionList list(rd_kafka_topic_partition_list_new(8));
    for (auto& [id, partition] : partitions_) {
      if (partition.done || partition.assigned) continue;
      partition.assigned = true;
      rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)
          ->offset = partition.known == kNoTime ? partition.next : partition.next - 1;
    }
    const std::string what = "reading " + context_.node_name;
    if (first) return as_status(error_of(rd_kafka_assign(client_.get(), list.get())), what);
    return as_status(take(rd_kafka_incremental_assign(client_.get(), list.get())), what);
  }

  Status fetch() {
    constexpr int kWaitMs = 1;
    constexpr std::size_t kBatch = 4096;
    batch_.resize(kBatch);
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue_.get(), kWaitMs, batch_.data(), batch_.size());
    Status status = Status::ok();
    std::vector<Partition*> strange;
    for (ssize_t i = 0; i < count; ++i) {
      Message message(batch_[static_cast<std::size_t>(i)]);
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && !is_known(*message)) {
        strange.push_back(find(*message));
      }
      if (status.is_ok()) status = take_in(std::move(message));
    }
    for (Partition* partition : strange) {
      if (status.is_ok()) status = start_again(*partition);
    }
    return status;
  }

  Status take_in(Message message) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      waiting_.push_back(std::move(message));
      return Status::ok();
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      Partition* const partition = find(*message);
      if (partition == nullptr) return Status::ok();
      // Behind the last message there may be marks of transactions only.
      if (partition->end >= 0 && message->offset >= partition->end) partition->done = true;
      // What was fetched before it is to be passed on first.
      waiting_.push_back(std::move(message));
      return Status::ok();
    }
    // What the brokers have may not be what was being read: a new start looks what there is.
    Error error = error_of(message->err);
    error.text = rd_kafka_message_errstr(message.get());
    return unless_passing(error, "source '" + context_.node_name + "'");
  }

  /// False if it is in the place of a message that was read, and is another one.
  bool is_known(const rd_kafka_message_t& message) {
    Partition* const partition = find(message);
    if (partition == nullptr || partition->known == kNoTime) return true;
    const bool same = message.offset != partition->next - 1 || time_of(message) == partition->known;
    partition->known = kNoTime;
    return same;
  }

  static std::int64_t time_of(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    return rd_kafka_message_timestamp(&message, &type);
  }

  Partition* find(const rd_kafka_message_t& message) {
    if (message.rkt == nullptr) return nullptr;
    if (last_ == nullptr || last_->number != message.partition || last_rkt_ != message.rkt) {
      const auto found =
          partitions_.find(std::pair(rd_kafka_topic_name(message.rkt), message.partition));
      if (found == partitions_.end()) return nullptr;
      last_ = &found->second;
      last_rkt_ = message.rkt;
    }
    return last_;
  }

  /// Messages of the first one's partition, as many as follow each other.
  ReadResult fill(Slice& slice) {
    slice.bytes.clear();
    Partition* const partition = find(*waiting_.front());
    while (!waiting_.empty() && slice.bytes.size() < context_.slice_bytes) {
      const rd_kafka_message_t& message = *waiting_.front();
      if (find(message) != partition) break;
      if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (partition != nullptr) step(*partition, message.offset);
        waiting_.pop_front();
        continue;
      }
      // librdkafka before 2.4 may deliver messages of a fetch that was given up.
      const bool fresh = partition != nullptr && message.offset >= partition->next &&
                         (partition->end < 0 || message.offset < partition->end);
      if (fresh) append(slice, *partition, message);
      if (!fresh && partition != nullptr && message.offset >= partition->next) {
        step(*partition, message.offset);
        partition->passed_end = true;
      }
      if (partition != nullptr && partition->end >= 0 && message.offset + 1 >= partition->end) {
        partition->done = true;
      }
      waiting_.pop_front();
    }
    if (slice.bytes.empty()) return ReadResult::kIdle;
    if (!waiting_.empty() && find(*waiting_.front()) == partition) {
      step(*partition, waiting_.front()->offset);
    }
    slice.bytes.reserve(slice.bytes.size() + kReadable);
    slice.partition = partition->name;
    slice.partition_hash = partition->hash;
    slice.format = static_cast<std::uint32_t>(partition->number);
    if (pinned_) slice.positions.emplace_back(partition->key, position_of(*partition));
    add_all_positions(slice);
    return ReadResult::kSlice;
  }

  /// The start is chosen once: also partitions without a message yet keep theirs.
  void add_all_positions(Slice& slice) {
    for (const auto& [id, one] : partitions_) {
      if (!pinned_) slice.positions.emplace_back(one.key, position_of(one));
    }
    pinned_ = true;
    keeps_start_ = false;
  }

  static std::string position_of(const Partition& partition) {
    return position_text({partition.next, partition.time, partition.bare_to});
  }

  /// There is no message before `offset`. That becomes part of the position although nothing was
  /// read: the marks behind the last message may be deleted before another one comes. Rows of the
  /// engine's own are deleted by itself, never behind their reader's position, and an epoch that
  /// each epoch's marks bring about would go on for ever.
  void step(Partition& partition, std::int64_t offset) {
    if (options_.own || partition.passed_end) return;
    if (offset <= std::max(partition.next, partition.bare_to)) return;
    partition.bare_to = offset;
    stepped_ = true;
  }

  /// A slice without messages.
  ReadResult pin(Slice& slice) {
    slice.bytes.clear();
    slice.bytes.reserve(kReadable);
    const Partition& any = partitions_.begin()->second;
    slice.partition = any.name;
    slice.partition_hash = any.hash;
    slice.format = static_cast<std::uint32_t>(any.number);
    pinned_ = stepped_ = false;
    add_all_positions(slice);
    return ReadResult::kSlice;
  }

  void append(Slice& slice, Partition& partition, const rd_kafka_message_t& message) {
    if (slice.bytes.empty()) slice.first_offset = static_cast<std::uint64_t>(message.offset);
    partition.next = message.offset + 1;
    MessageHead head;
    head.offset = message.offset;
    head.timestamp = partition.time = time_of(message);
    headers_.clear();
    // A field would be null as if there were no header: the decoder refuses the message instead.
    if (options_.headers && !take_headers(message)) head.headers_size = -1;
    append_frame(slice.bytes, head, message.payload, message.len, message.key, message.key_len,
                 headers_);
  }

  /// False if there are some and they cannot be read.
  bool take_headers(const rd_kafka_message_t& message) {
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

  ReaderOptions options_;
  runtime::SourceContext context_;
  Client client_;
  Queue queue_;
  std::map<std::string, Position> committed_;
  std::map<std::pair<std::string, int>, Partition> partitions_;
  std::vector<rd_kafka_message_t*> batch_;
  std::deque<Message> waiting_;
  Partition* last_ = nullptr;
  const rd_kafka_topic_t* last_rkt_ = nullptr;
  std::set<std::string> left_out_;
  std::string headers_;
  std::int64_t discovered_ms_ = 0;
  bool pinned_ = false;       // every partition's position is in a slice
  bool keeps_start_ = false;  // and must be in one soon, message or not
  bool stepped_ = false;      // over marks of transactions, which no slice says yet
  Status failure_ = Status::ok();
};

}  // namespace

std::unique_ptr<runtime::SourceReader> make_kafka_reader(ReaderOptions options) {
  return std::make_unique<KafkaReader>(std::move(options));
}

}  // namespace huiliu::connectors::kafka
