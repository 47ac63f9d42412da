#include "connectors/kafka/message_encoder.h"

#include <charconv>
#include <optional>

#include "connectors/kafka/message_frame.h"
#include "runtime/row_codec.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Record;
using runtime::Schema;
using runtime::Value;

/// A table with the columns' fields, in their order.
class TableEncoder final : public runtime::SinkEncoder {
 public:
  TableEncoder(const std::vector<OutputColumn>& columns, const Schema& input) {
    Schema schema;
    for (const OutputColumn& column : columns) {
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
  if (layout.format == "csv") return make_csv_encoder(layout.columns, input, layout.delimiter);
  if (layout.format == "flatbuffers") {
    return std::make_unique<TableEncoder>(layout.columns, input);
  }
  return make_json_encoder(layout.columns, input, layout.nulls);
}

class MessageEncoder final : public runtime::SinkEncoder {
 public:
  MessageEncoder(const MessageLayout& layout, const Schema& input)
      : schema_(input),
        value_(value_encoder(layout, input)),
        line_(layout.format != "flatbuffers"),
        provenance_(layout.provenance),
        timestamp_(layout.timestamp.empty() ? std::nullopt : input.index_of(layout.timestamp)) {
    std::vector<OutputColumn> key;
    for (const std::string& field : layout.key) key.push_back({field, field, std::nullopt});
    if (key.size() == 1) single_key_ = input.index_of(key.front().field);
    if (key.size() > 1) keys_ = make_json_encoder(key, input, Nulls::kNull);
    for (const auto& [name, field] : layout.headers) {
      if (const auto index = input.index_of(field)) headers_.emplace_back(name, *index);
    }
  }

  const runtime::Reject* encode(const Record& record, std::string& out) override {
    value_text_.clear();
    value_->encode(record, value_text_);
    if (line_ && value_text_.ends_with('\n')) value_text_.pop_back();
    header_bytes_.clear();
    if (provenance_) add_origin(record);
    for (const auto& [name, field] : headers_) {
      const std::string_view text = value_text(schema_[field].type, record[field], scratch_);
      append_header(header_bytes_, name, record[field].is_null() ? nullptr : text.data(),
                    text.size());
    }
    const std::string_view key = key_of(record);
    MessageHead head;
    head.timestamp = time_of(record);
    append_frame(out, head, value_text_.data(), value_text_.size(), key.data(), key.size(),
                 header_bytes_);
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

  const Schema schema_;
  std::unique_ptr<runtime::SinkEncoder> value_, keys_;
  std::optional<std::size_t> single_key_;
  bool line_, provenance_;
  std::optional<std::size_t> timestamp_;
  std::vector<std::pair<std::string, std::size_t>> headers_;
  std::string value_text_, key_text_, header_bytes_, origin_, scratch_;
};

}  // namespace

std::unique_ptr<runtime::SinkEncoder> make_message_encoder(const MessageLayout& layout,
                                                           const Schema& input) {
  return std::make_unique<MessageEncoder>(layout, input);
}

}  // namespace huiliu::connectors::kafka
