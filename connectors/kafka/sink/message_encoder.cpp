#include "connectors/kafka/sink/message_encoder.h"

#include <charconv>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "codecs/value_parsers.h"
#include "connectors/kafka/client/message_frame.h"
#include "runtime/base/clock.h"
#include "runtime/record/row_codec.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Record;
using runtime::Schema;
using runtime::Value;

/// A table with the columns' fields, in their order.
class TableEncoder final : public runtime::SinkEncoder {
 public:
  TableEncoder(const std::vector<codecs::OutputColumn>& columns, const Schema& input) {
    Schema schema;
    for (const codecs::OutputColumn& column : columns) {
      const auto index = input.index_of(column.field);
      sources_.push_back(index);
      schema.add(column.name, index ? input[*index].type : runtime::Type::kString);
    }
    row_.resize(sources_.size());
    rows_.emplace(schema);
  }

  const runtime::Reject* encode(const Record& record, std::string& out) override {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      row_[i] = sources_[i] ? record[*sources_[i]] : Value();
    }
    sized_.clear();
    rows_->append(row_.data(), sized_);
    out.append(sized_, sizeof(std::uint32_t));
    return nullptr;
  }

 private:
  std::vector<std::optional<std::size_t>> sources_;
  std::vector<Value> row_;
  std::optional<runtime::RowEncoder> rows_;
  std::string sized_;
};

std::unique_ptr<runtime::SinkEncoder> value_encoder(const MessageLayout& layout,
                                                    const Schema& input) {
  if (layout.format == "csv")
    return codecs::make_csv_encoder(layout.columns, input, layout.delimiter);
  if (layout.format == "flatbuffers") {
    return std::make_unique<TableEncoder>(layout.columns, input);
  }
  return codecs::make_json_encoder(layout.columns, input, layout.nulls);
}

/// Finds the topic that a record names.
class TopicChooser {
 public:
  TopicChooser(runtime::TextTemplate name, const std::vector<std::string>& topics)
      : template_(std::move(name)) {
    for (const std::string& topic : topics) numbers_.emplace(topic, numbers_.size());
  }

  /// Its number in the list; nothing if it is not there.
  std::optional<std::size_t> find(const Record& record) {
    name_.clear();
    template_.append(record, name_);
    const auto found = numbers_.find(name_);
    if (found == numbers_.end()) return std::nullopt;
    return found->second;
  }
  /// As the last record gave it.
  const std::string& name() const { return name_; }

 private:
  runtime::TextTemplate template_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::string name_;
};

class MessageEncoder final : public runtime::SinkEncoder {
 public:
  MessageEncoder(const MessageLayout& layout, const Schema& input)
      : schema_(input),
        value_(value_encoder(layout, input)),
        line_(layout.format != "flatbuffers"),
        provenance_(layout.provenance),
        limits_(layout.limits),
        of_rejects_(input.index_of("reject_code").has_value()),
        max_bytes_(layout.max_bytes),
        delete_when_(layout.delete_when),
        timestamp_(layout.timestamp.empty() ? std::nullopt : input.index_of(layout.timestamp)) {
    if (layout.topic) topic_.emplace(*layout.topic, layout.topics);
    std::vector<codecs::OutputColumn> key;
    for (const std::string& field : layout.key) key.push_back({field, field, std::nullopt});
    if (key.size() == 1) single_key_ = input.index_of(key.front().field);
    if (key.size() > 1) keys_ = codecs::make_json_encoder(key, input, codecs::Nulls::kNull);
    for (const auto& [name, field] : layout.headers) {
      if (const auto index = input.index_of(field)) headers_.emplace_back(name, *index);
    }
  }

  const runtime::Reject* encode(const Record& record, std::string& out) override {
    MessageHead head;
    if (topic_) {
      const auto number = topic_->find(record);
      if (!number) return unknown_topic();
      head.offset = static_cast<std::int64_t>(*number);
    }
    value_text_.clear();
    const bool deletes = delete_when_.holds(record.values);
    if (!deletes) value_->encode(record, value_text_);
    if (line_ && value_text_.ends_with('\n')) value_text_.pop_back();
    header_bytes_.clear();
    if (provenance_) add_origin(record);
    for (const auto& [name, field] : headers_) {
      const std::string_view text = value_text(schema_[field].type, record[field], scratch_);
      append_header(header_bytes_, name, record[field].is_null() ? nullptr : text.data(),
                    text.size());
    }
    const std::string_view key = key_of(record);
    const std::uint64_t bytes = batch_bytes(value_text_.size(), key.size(), header_bytes_.size());
    if (bytes > max_bytes_) return too_large(record, bytes);
    head.timestamp = time_of(record);
    if (!limits_.empty()) {
      const TopicLimits& limits = *limits_[static_cast<std::size_t>(head.offset)];
      if (!limits.takes_time(head.timestamp, runtime::system_clock().now_ms())) {
        // A reject has the time that it was refused for: it gets the time it is written at.
        if (!of_rejects_) return time_refused(head.timestamp);
        head.timestamp = 0;
      }
      if (key.data() == nullptr && limits.needs_key) return no_key();
    }
    append_frame(out, head, deletes ? nullptr : value_text_.data(), value_text_.size(), key.data(),
                 key.size(), header_bytes_);
    return nullptr;
  }

 private:
  std::int64_t time_of(const Record& record) const {
    if (timestamp_ && !record[*timestamp_].is_null()) return record[*timestamp_].integer();
    return record.event_time == runtime::kNoEventTime ? 0 : record.event_time;
  }

  std::string_view key_of(const Record& record) {
    if (keys_) {
      key_text_.clear();
      keys_->encode(record, key_text_);
      key_text_.pop_back();  // the line end
      return key_text_;
    }
    if (!single_key_ || record[*single_key_].is_null()) return {};
    const std::string_view text =
        value_text(schema_[*single_key_].type, record[*single_key_], scratch_);
    return text.empty() ? std::string_view("") : text;  // an empty key is one
  }

  void add_origin(const Record& record) {
    if (record.origin.partition == nullptr) return;
    origin_.assign(*record.origin.partition);
    char number[24];
    const auto end = std::to_chars(number, number + sizeof number, record.origin.offset).ptr;
    origin_ += '@';
    origin_.append(number, end);
    append_header(header_bytes_, kOriginHeader, origin_.data(), origin_.size());
  }

  const runtime::Reject* unknown_topic() {
    value_excerpt_ = codecs::excerpt(topic_->name());
    message_en_ = "The record's topic is none of those that the sink lists.";
    message_zh_ = "记录所指的主题不在该输出列出的主题之中。";
    reject_ = {"E812_TOPIC_UNKNOWN", "", value_excerpt_, kRule, message_en_, message_zh_};
    return &reject_;
  }

  const runtime::Reject* time_refused(std::int64_t time_ms) {
    value_excerpt_ = std::to_string(time_ms);
    message_en_ =
        "The message's time is further from the clock than the topic takes (message.timestamp.*).";
    message_zh_ = "消息时间与当前时间相差超出该主题允许的范围（message.timestamp.*）。";
    const std::string_view field =
        timestamp_ ? std::string_view(schema_[*timestamp_].name) : std::string_view();
    reject_ = {"E814_MESSAGE_TIME", field, value_excerpt_, kRule, message_en_, message_zh_};
    return &reject_;
  }

  const runtime::Reject* no_key() {
    value_excerpt_.clear();
    message_en_ = "The message has no key, and the topic is compacted: it takes none without.";
    message_zh_ = "消息没有键，而该主题为压缩主题，不接受无键消息。";
    const std::string_view field =
        single_key_ ? std::string_view(schema_[*single_key_].name) : std::string_view();
    reject_ = {"E815_NO_KEY", field, value_excerpt_, kRule, message_en_, message_zh_};
    return &reject_;
  }

  /// Names the longest text, which most likely is why.
  const runtime::Reject* too_large(const Record& record, std::uint64_t bytes) {
    std::string_view field, longest;
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      if (!runtime::is_text(schema_[i].type)) continue;
      const std::string_view text = record[i].text();
      if (text.size() <= longest.size()) continue;
      field = schema_[i].name;
      longest = text;
    }
    value_excerpt_ = codecs::excerpt(longest);
    message_en_ = fmt::format("The message has {} bytes, the sink takes {} (max_message_bytes).",
                              bytes, max_bytes_);
    message_zh_ =
        fmt::format("消息有{}字节，该输出最多接受{}字节（max_message_bytes）。", bytes, max_bytes_);
    reject_ = {"E811_MESSAGE_TOO_LARGE", field, value_excerpt_, kRule, message_en_, message_zh_};
    return &reject_;
  }

  static constexpr std::string_view kRule = "kafka";

  const Schema schema_;
  std::unique_ptr<runtime::SinkEncoder> value_, keys_;
  std::optional<TopicChooser> topic_;
  std::optional<std::size_t> single_key_;
  bool line_, provenance_;
  std::vector<std::shared_ptr<TopicLimits>> limits_;
  bool of_rejects_;
  std::uint64_t max_bytes_;
  codecs::DeleteWhen delete_when_;
  std::optional<std::size_t> timestamp_;
  std::vector<std::pair<std::string, std::size_t>> headers_;
  std::string value_text_, key_text_, header_bytes_, origin_, scratch_;
  runtime::Reject reject_;
  std::string value_excerpt_, message_en_, message_zh_;  // of reject_
};

}  // namespace

// Format 2 of batches: 61 bytes for the batch; of a record at most 5 (length), 1 (attributes),
// 10 (time), 5 (offset), and 5 each for the sizes of key and value and the number of headers. The
// two sizes of a header have 8 bytes in a frame; they have at most 10 in a record.
std::uint64_t batch_bytes(std::size_t value, std::size_t key, std::size_t headers) {
  constexpr std::uint64_t kBatch = 61, kRecord = 5 + 1 + 10 + 5 + 3 * 5;
  return kBatch + kRecord + value + key + headers + headers / 4;
}

std::unique_ptr<runtime::SinkEncoder> make_message_encoder(const MessageLayout& layout,
                                                           const Schema& input) {
  return std::make_unique<MessageEncoder>(layout, input);
}

}  // namespace huiliu::connectors::kafka
