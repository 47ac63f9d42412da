#include "connectors/kafka/backend/repartition.h"

#include <cstring>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "connectors/kafka/backend/upstream_times.h"
#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/client/position.h"
#include "connectors/kafka/client/transaction.h"
#include "connectors/kafka/source/kafka_reader.h"
#include "runtime/base/check.h"
#include "runtime/base/failpoint.h"
#include "runtime/component/meta_key.h"
#include "runtime/record/key.h"
#include "runtime/record/partition_names.h"
#include "runtime/record/row_codec.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Config;
using runtime::Record;
using runtime::SinkDeclaration;
using runtime::SourceDeclaration;
using runtime::Status;

/// Stands in front of the row in a message.
struct RowHead {
  std::int64_t event_time = 0;
  std::uint64_t id = 0;
  std::uint64_t offset = 0;
};

constexpr std::size_t kHeadBytes = 1 + sizeof(std::uint64_t);

/// Stands in front of a row between the encoder and the sink.
struct EntryHead {
  std::uint32_t shard = 0;
  std::uint32_t size = 0;
};

template <class Number>
void put(std::string& out, const Number& number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

/// Another program's bytes, since checksums are Kafka's and forms are looked at by the reader.
struct NoRows : std::exception {};

template <class Number>
Number take(std::string_view& bytes) {
  Number number{};
  if (bytes.size() < sizeof number) throw NoRows();
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return number;
}

std::string_view take_bytes(std::string_view& bytes, std::size_t size) {
  if (bytes.size() < size) throw NoRows();
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

std::string head_of(char version, std::uint64_t form) {
  std::string head(1, version);
  put(head, form);
  return head;
}

// Four bytes: the size of the name, and in the highest one the kind of change, so that rows of
// before there were any are read as inserts.
constexpr std::uint32_t kMostName = 0xFFFFFF;
constexpr unsigned kChangeShift = 24;

std::uint32_t name_head(std::size_t size, runtime::Change change) {
  HUILIU_CHECK(size <= kMostName);
  return static_cast<std::uint32_t>(size) | static_cast<std::uint32_t>(change) << kChangeShift;
}

runtime::Change change_of(std::uint32_t name_head) {
  const std::uint32_t change = name_head >> kChangeShift;
  if (change > static_cast<std::uint32_t>(runtime::Change::kDelete)) throw NoRows();
  return static_cast<runtime::Change>(change);
}

class RowsEncoder final : public runtime::SinkEncoder {
 public:
  RowsEncoder(const runtime::Schema& schema, const Config& config)
      : key_(schema, config["key"].as_strings()),
        rows_(schema),
        shards_(static_cast<std::uint16_t>(config["shards"].as_int())) {}

  const runtime::Reject* encode(const Record& record, std::string& out) override {
    const std::size_t start = out.size();
    put(out, EntryHead{});
    put(out, RowHead{record.event_time, record.id, record.origin.offset});
    const std::string_view name =
        record.origin.partition == nullptr ? std::string_view() : *record.origin.partition;
    put(out, name_head(name.size(), record.change));
    out.append(name);
    rows_.append(record.values, out);
    const EntryHead head{runtime::shard_of_hash(key_.hash(record), shards_),
                         static_cast<std::uint32_t>(out.size() - start - sizeof(EntryHead))};
    std::memcpy(out.data() + start, &head, sizeof head);
    return nullptr;
  }

 private:
  runtime::KeyBuilder key_;
  runtime::RowEncoder rows_;
  std::uint16_t shards_;
};

class RowsSink final : public runtime::EpochSink {
 public:
  explicit RowsSink(const SinkDeclaration& declaration)
      : topic_name_(declaration.config["topic"].text()),
        form_(rows_form(*declaration.inputs.front(), declaration.config)),
        head_(head_of(kRowsVersion, form_)),
        waiting_(static_cast<std::size_t>(declaration.config["shards"].as_int())) {}

  Status open(const runtime::SinkContext& context) override {
    transaction_ = dynamic_cast<Transaction*>(context.transaction);
    HUILIU_CHECK(transaction_ != nullptr);
    auto topic = transaction_->topic(topic_name_, {.compression = "lz4"});
    if (!topic.is_ok()) return topic.status();
    topic_ = *topic;
    return Status::ok();
  }

  Status append(std::string_view bytes, std::uint64_t) override {
    constexpr std::size_t kMessageBytes = 256u << 10;
    while (!bytes.empty()) {
      const auto head = take<EntryHead>(bytes);
      std::string& waiting = waiting_[head.shard];
      if (waiting.empty()) waiting += head_;
      put(waiting, head.size);
      waiting.append(take_bytes(bytes, head.size));
      if (waiting.size() < kMessageBytes) continue;
      if (Status status = send(head.shard); !status.is_ok()) return status;
    }
    return Status::ok();
  }

  void reached(const std::vector<runtime::ShardTime>& times) override {
    const bool lost = runtime::mutant("time.control_lost") && !times_.empty();
    unsent_ = !times.empty() && times != times_ && !lost;
    times_ = times;
  }

  // Times come behind the rows: no row of the epoch is late by what the epoch itself has reached.
  Status prepare(std::vector<std::pair<std::string, std::string>>&) override {
    const std::string times = head_of(kTimesVersion, form_) + times_bytes(times_);
    if (unsent_ && runtime::mutant("time.control_early")) HUILIU_RETURN_IF_ERROR(send_times(times));
    for (std::size_t shard = 0; shard < waiting_.size(); ++shard) {
      if (waiting_[shard].empty()) continue;
      HUILIU_RETURN_IF_ERROR(send(shard));
    }
    if (unsent_) HUILIU_RETURN_IF_ERROR(send_times(times));
    unsent_ = false;
    return Status::ok();
  }

 private:
  Status send(std::size_t shard) {
    Status status = transaction_->produce(
        topic_, {.partition = static_cast<int>(shard), .value = waiting_[shard]});
    waiting_[shard].clear();
    return status;
  }

  Status send_times(const std::string& message) {
    for (std::size_t shard = 0; shard < waiting_.size(); ++shard) {
      HUILIU_RETURN_IF_ERROR(
          transaction_->produce(topic_, {.partition = static_cast<int>(shard), .value = message}));
    }
    return Status::ok();
  }

  std::string topic_name_;
  std::uint64_t form_;
  std::string head_;
  std::vector<runtime::ShardTime> times_;  // said last
  bool unsent_ = false;
  std::vector<std::string> waiting_;  // per shard: the message that is being filled
  Transaction* transaction_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
};

class RowsDecoder final : public runtime::Decoder {
 public:
  RowsDecoder(const runtime::Schema& schema, std::size_t row_slots)
      : schema_(schema), slots_(row_slots) {}

  void decode(const runtime::Slice& slice, runtime::Outputs& out) override {
    const char* at = slice.bytes.data();
    const char* const end = at + slice.bytes.size();
    while (at < end) {
      const FramedMessage message = read_frame(at);
      try {
        if (message.value.front() == kRowsVersion) emit_rows(message.value, out);
      } catch (const NoRows&) {
        throw runtime::StatusError(Status::corrupt(fmt::format(
            "{} has something at offset {} that is no row of this topology: another program writes "
            "there. Keep others out of the topics that begin with the topology's id, and start "
            "afresh with another `topology` id",
            slice.partition == nullptr ? "the topic" : *slice.partition, message.head.offset)));
      }
      at += message.head.frame_size;
    }
  }

 private:
  void emit_rows(std::string_view rows, runtime::Outputs& out) {
    take_bytes(rows, kHeadBytes);
    while (!rows.empty()) {
      const auto size = take<std::uint32_t>(rows);
      emit(take_bytes(rows, size), out);
    }
  }

  void emit(std::string_view bytes, runtime::Outputs& out) {
    const auto head = take<RowHead>(bytes);
    const auto name_head = take<std::uint32_t>(bytes);
    const std::string_view name = take_bytes(bytes, name_head & kMostName);
    if (partition_ == nullptr || *partition_ != name) {
      partition_ = runtime::intern_partition(name);
    }
    if (!runtime::take_row(schema_, bytes, row_)) throw NoRows();
    std::copy_n(row_.data(), schema_.width(), slots_.data());
    Record record;
    record.values = slots_.data();
    record.width = static_cast<std::uint32_t>(schema_.width());
    record.change = change_of(name_head);
    if (runtime::mutant("kafka.change_lost")) record.change = runtime::Change::kInsert;
    record.event_time = head.event_time;
    record.id = head.id;
    record.origin = {name.empty() ? nullptr : partition_, head.offset};
    out.emit(record);
  }

  const runtime::Schema& schema_;
  std::vector<runtime::Value> slots_, row_;
  const std::string* partition_ = nullptr;
};

/// Ends with an error where rows are that its decoder would not understand, and tells how far each
/// partition has come in event time.
class RowsReader final : public runtime::SourceReader {
 public:
  RowsReader(std::unique_ptr<runtime::SourceReader> messages, const SourceDeclaration& declaration)
      : messages_(std::move(messages)),
        topic_(declaration.config["topic"].text()),
        form_(rows_form(declaration.output, declaration.config)),
        timed_(declaration.event_time.field >= 0) {}

  Status open(const runtime::SourceContext& context) override {
    // An open that fails is tried again, and what was announced stays announced.
    HUILIU_RETURN_IF_ERROR(messages_->open(context));
    return timed_ ? announce(context) : Status::ok();
  }

  runtime::ReadResult read(runtime::Slice& slice) override {
    const runtime::ReadResult result = messages_->read(slice);
    if (result != runtime::ReadResult::kSlice) return result;
    strange_ = check_rows(slice.bytes, form_, topic_);
    if (strange_.is_ok() && timed_) tell_time(slice);
    return strange_.is_ok() ? result : runtime::ReadResult::kFailed;
  }
  bool has_splits() const override { return timed_; }
  bool may_wait(std::int64_t most_ms) override { return messages_->may_wait(most_ms); }

  Status failure() const override { return strange_.is_ok() ? messages_->failure() : strange_; }

 private:
  struct Split {
    runtime::SplitId id = runtime::kNoSplit;
    UpstreamTimes times;
  };

  Status announce(const runtime::SourceContext& context) {
    splits_.clear();
    for (const std::uint16_t shard : context.owned_shards) {
      const std::string key = position_key(topic_, shard);
      const std::string saved = runtime::value_of_key(context.times, key);
      const auto times = UpstreamTimes::parse(saved, context.shards);
      if (!times) {
        return Status::corrupt(fmt::format(
            "source '{}': the times '{}' of {} are none: something else has written them into the "
            "state. Restore the state, or start afresh with another `topology` id",
            context.node_name, saved, key));
      }
      const runtime::SplitId id =
          context.splits->announce({.key = key, .shard = shard, .time = times->told().time});
      splits_.emplace(shard, Split{id, *times});
    }
    return Status::ok();
  }

  /// The slice is of one partition, whose number the messages' reader gives as its format.
  void tell_time(runtime::Slice& slice) {
    const auto split = splits_.find(static_cast<std::uint16_t>(slice.format));
    if (split == splits_.end() || slice.bytes.empty()) return;
    UpstreamTimes& times = split->second.times;
    bool changed = false;
    const char* const end = slice.bytes.data() + slice.bytes.size();
    for (const char* at = slice.bytes.data(); at < end;) {
      const FramedMessage message = read_frame(at);
      at += message.head.frame_size;
      if (message.value.front() != kTimesVersion) continue;
      const auto said = parse_times(message.value.substr(kHeadBytes));
      if (!said) {
        strange_ = Status::corrupt(fmt::format(
            "topic {} says times at offset {} that are none: another program writes there. Keep "
            "others out of the topics that begin with the topology's id, and start afresh with "
            "another `topology` id",
            topic_, message.head.offset));
        return;
      }
      times.take(*said);
      changed = true;
    }
    slice.split = split->second.id;
    slice.told = times.told();
    if (changed && !runtime::mutant("time.table_unsaved")) slice.told->saved = times.text();
  }

  std::unique_ptr<runtime::SourceReader> messages_;
  std::string topic_;
  std::uint64_t form_;
  bool timed_;
  std::map<std::uint16_t, Split> splits_;  // by partition
  Status strange_ = Status::ok();
};

std::unique_ptr<runtime::SourceReader> create_reader(const SourceDeclaration& declaration) {
  ReaderOptions options;
  options.connection = connection_of(declaration.config, declaration.backend);
  options.topics = {declaration.config["topic"].text()};
  options.start = StartAt::kEarliest;
  options.backend_group = declaration.backend->string_or("group", "");
  options.prefetch_bytes = 64u << 20;
  options.own = true;
  options.discover_ms = 24ll * 3600 * 1000;  // its partitions are the shards
  return std::make_unique<RowsReader>(make_kafka_reader(std::move(options)), declaration);
}

}  // namespace

std::uint64_t rows_form(const runtime::Schema& schema, const Config& config) {
  std::string text;
  for (const runtime::Field& field : schema.fields()) {
    text += fmt::format("{} {}\n", field.name, runtime::type_name(field.type));
  }
  text += fmt::format("key {}\n", fmt::join(config["key"].as_strings(), "\n"));
  text += fmt::format("shards {}", config["shards"].text());
  return runtime::KeyBuilder::hash_bytes(text);
}

Status check_rows(std::string_view slice, std::uint64_t form, const std::string& topic) {
  const std::string rows = head_of(kRowsVersion, form), times = head_of(kTimesVersion, form);
  const char* const end = slice.data() + slice.size();
  for (const char* at = slice.data(); at < end;) {
    const FramedMessage message = read_frame(at);
    if (!message.value.starts_with(rows) && !message.value.starts_with(times)) {
      return Status::invalid(fmt::format(
          "topic {} holds rows at offset {} that another version of the topology or of Huiliu has "
          "written: their fields, key, or form are not those that are read here. Run all workers "
          "in one version; before a change, stop the input and let the old version read its rows",
          topic, message.head.offset));
    }
    at += message.head.frame_size;
  }
  return Status::ok();
}

const runtime::SinkType& repartition_sink() {
  static const runtime::SinkType type = {
      .descriptor = {.name = "kafka repartition",
                     .kind = runtime::ComponentKind::kSink,
                     .summary = "Rows for the worker that owns their key.",
                     .traits = {.transactional = true,
                                .reason = "rows are part of the epoch's transaction",
                                .shareable = true}},
      .declare = {},
      .create_encoder =
          [](const SinkDeclaration& declaration, std::size_t input) {
            return std::make_unique<RowsEncoder>(*declaration.inputs[input], declaration.config);
          },
      .create_epoch_sink =
          [](const SinkDeclaration& declaration) {
            return std::make_unique<RowsSink>(declaration);
          },
      .create_outbox_sink = {}};
  return type;
}

const runtime::SourceType& repartition_source() {
  static const runtime::SourceType type = {
      .descriptor = {.name = "kafka repartition",
                     .kind = runtime::ComponentKind::kSource,
                     .summary = "Rows whose key this worker owns.",
                     .traits = {.replayable = true,
                                .reason = "offsets are committed with the epoch, and rows can be "
                                          "read again",
                                .shareable = true}},
      .declare = {},
      .create_reader = create_reader,
      .create_decoder = [](const SourceDeclaration& declaration,
                           const runtime::DecoderContext& context) {
        return std::make_unique<RowsDecoder>(declaration.output, context.row_slots);
      }};
  return type;
}

}  // namespace huiliu::connectors::kafka
