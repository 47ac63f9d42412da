#include "connectors/kafka/source/message_decoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "codecs/json_row.h"
#include "codecs/value_parsers.h"
#include "connectors/kafka/client/message_frame.h"
#include "formats/csv.h"
#include "formats/encoding.h"
#include "formats/one_json.h"
#include "runtime/record/row_codec.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Outputs;
using runtime::Record;
using runtime::Reject;
using runtime::Slice;
using runtime::Type;
using runtime::Value;

constexpr Reject kBadJson{"E801_BAD_JSON",
                          "",
                          "",
                          "kafka",
                          "The message is not one complete JSON object.",
                          "消息不是一个完整的JSON对象。"};
constexpr Reject kTooDeep{"E801_BAD_JSON",     "", "", "kafka", "The JSON is nested too deeply.",
                          "JSON嵌套层数过多。"};
constexpr Reject kBadCsv{"E802_BAD_CSV",
                         "",
                         "",
                         "kafka",
                         "The row has a wrong quote or a wrong number of cells.",
                         "该行引号有误或列数不符。"};
constexpr Reject kBadEncoding{
    "E803_BAD_ENCODING",    "", "", "kafka", "The message holds bytes that are no UTF-8.",
    "消息含有非UTF-8字节。"};
constexpr Reject kBadTable{"E806_BAD_FLATBUFFER",
                           "",
                           "",
                           "kafka",
                           "The message is no FlatBuffers table of the stream's schema.",
                           "消息不是符合该流模式的FlatBuffers表。"};
constexpr Reject kNoValue{"E807_NO_VALUE", "", "", "kafka", "The message has no value.",
                          "消息没有值。"};
constexpr Reject kBadHeaders{
    "E816_BAD_HEADERS", "", "", "kafka", "The headers of the message cannot be read.",
    "消息头无法读取。"};
constexpr Reject kFormat{
    "E201_FORMAT",       "", "", "kafka", "The value does not fit the field's type.",
    "值与字段类型不符。"};

class MessageDecoder final : public runtime::Decoder {
 public:
  MessageDecoder(MessageOptions options, const runtime::DecoderContext& context)
      : options_(std::move(options)),
        schema_(options_.schema()),
        event_time_(context.event_time_field),
        json_(types(), options_.max_depth),
        csv_(4096, formats::CsvDialect{options_.delimiter, '"'}),
        row_(std::max(context.row_slots, schema_.width() + runtime::kRejectFieldCount)),
        utf8_(options_.format == MessageFormat::kJson || options_.format == MessageFormat::kCsv) {
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      const MessageField& field = options_.fields[i];
      if (field.absent) defaults_.emplace_back(i, *codecs::parse_cell(field.type, *field.absent));
      if (field.part != MessagePart::kValue) {
        others_.push_back(i);
        continue;
      }
      values_.push_back(i);
      value_schema_.add(field.name, field.type);
      keys_.add(field.name, static_cast<int>(i));
      const bool text = field.type == Type::kString || field.type == Type::kJson;
      utf8_ = utf8_ || (options_.format == MessageFormat::kRaw && text);
    }
  }

  void decode(const Slice& slice, Outputs& out) override {
    slice_ = &slice;
    out_ = &out;
    const char* at = slice.bytes.data();
    const char* const end = at + slice.bytes.size();
    while (at < end) {
      message_ = read_frame(at);
      one();
      at += message_.head.frame_size;
    }
  }

 private:
  std::vector<Type> types() const {
    std::vector<Type> result;
    for (const runtime::Field& field : schema_.fields()) result.push_back(field.type);
    return result;
  }

  Record record() {
    Record made;
    made.values = row_.data();
    made.width = static_cast<std::uint32_t>(schema_.width());
    const auto offset = static_cast<std::uint64_t>(message_.head.offset);
    made.origin = {slice_->partition, offset};
    made.id = runtime::record_id(slice_->partition_hash, offset);
    return made;
  }

  void refuse(Reject reject, std::string_view raw) {
    std::fill_n(row_.begin(), schema_.width(), Value());
    reject.value = out_->arena().copy(codecs::excerpt(raw));
    finish(reject);
  }

  void refuse_field(Reject reject, std::size_t field, std::string_view text) {
    reject.field = schema_[field].name;
    reject.value = out_->arena().copy(codecs::excerpt(text));
    finish(reject);
  }

  void finish(Reject reject) {
    for (const auto& [code, name] : options_.codes) {
      if (reject.code == code) reject.code = name;
    }
    std::size_t ignored = 0;
    fill_others(ignored);
    Record made = record();
    out_->reject(made, reject);
  }

  void one() {
    std::fill_n(row_.begin(), schema_.width(), Value());
    if (message_.head.headers_size < 0) return refuse(kBadHeaders, message_.key);
    if (message_.head.value_size < 0) {
      if (values_.empty()) return accept();
      return refuse(kNoValue, message_.key);
    }
    if (utf8_ && !formats::is_valid_utf8(message_.value)) {
      return refuse(kBadEncoding, message_.value);
    }
    switch (options_.format) {
      case MessageFormat::kJson:
        return json(message_.value);
      case MessageFormat::kCsv:
        return csv();
      case MessageFormat::kFlatbuffers:
        return table();
      case MessageFormat::kRaw:
        if (values_.empty()) return accept();
        if (!fits(schema_[values_.front()].type, message_.value)) {
          return refuse_field(kFormat, values_.front(), message_.value);
        }
        row_[values_.front()] = Value::of_text(message_.value);
        return accept();
    }
  }

  void json(std::string_view text) {
    const char* stop = nullptr;
    const codecs::JsonFault fault =
        json_.parse(text.data(), keys_, row_.data(), out_->arena(), stop);
    json_.forget_unknown_key();
    if (fault == codecs::JsonFault::kNone && stop == text.data() + text.size()) [[likely]] {
      return accept();
    }
    if (text.find('\n') != std::string_view::npos) return json(without_line_ends(text));
    if (fault == codecs::JsonFault::kTooDeep) return refuse(kTooDeep, text);
    if (fault == codecs::JsonFault::kWrongType) {
      return refuse_field(kFormat, static_cast<std::size_t>(json_.field()), json_.value());
    }
    refuse(kBadJson, text);
  }

  // The row parser ends at a line end; a carriage return is a blank between tokens, too, and just
  // as wrong within a text.
  std::string_view without_line_ends(std::string_view text) {
    constexpr std::size_t kReadable = 64;
    char* copy = out_->arena().allocate(text.size() + kReadable);
    std::replace_copy(text.begin(), text.end(), copy, '\n', '\r');
    std::memset(copy + text.size(), 0, kReadable);
    return {copy, text.size()};
  }

  void csv() {
    const formats::CsvError error = csv_.parse(message_.value);
    const auto& cells = csv_.cells();
    if (error != formats::CsvError::kNone || cells.size() != values_.size()) {
      return refuse(kBadCsv, message_.value);
    }
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) continue;
      const Type type = schema_[values_[i]].type;
      const auto value = !runtime::is_text(type) ? codecs::parse_cell(type, cells[i])
                         : fits(type, cells[i])
                             ? std::optional(Value::of_text(out_->arena().copy(cells[i])))
                             : std::nullopt;
      if (!value) return refuse_field(kFormat, values_[i], cells[i]);
      row_[values_[i]] = *value;
    }
    accept();
  }

  void table() {
    // The frame has the size in front of the value.
    std::string_view sized(message_.value.data() - sizeof(std::int32_t),
                           message_.value.size() + sizeof(std::int32_t));
    if (!runtime::take_row(value_schema_, sized, table_row_) || !sized.empty()) {
      return refuse(kBadTable, {});
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const Value& value = table_row_[i];
      const Type type = value_schema_[i].type;
      const bool text = runtime::is_text(type);
      const bool sound =
          value.is_null() ||
          (text ? fits(type, value.text()) : type != Type::kFloat64 || std::isfinite(value.real()));
      if (!sound) {
        return refuse_field(kFormat, values_[i],
                            text ? value.text() : std::string_view("not a finite number"));
      }
      row_[values_[i]] = value;
    }
    accept();
  }

  /// Whether a text may be in a field of a text's type: outputs write it as it is.
  bool fits(Type type, std::string_view text) {
    if (type == Type::kBytes) return true;
    if (!utf8_ && !formats::is_valid_utf8(text)) return false;
    return type != Type::kJson || formats::is_one_json(text, options_.max_depth);
  }

  std::string_view part(const MessageField& field) const {
    switch (field.part) {
      case MessagePart::kKey:
        return message_.head.key_size < 0 ? std::string_view() : message_.key;
      case MessagePart::kHeader:
        return find_header(message_.headers, field.header);
      case MessagePart::kTopic:
        return std::string_view(*slice_->partition).substr(0, slice_->partition->rfind('['));
      default:
        return {};
    }
  }

  /// False with the field's index if a text does not fit its field.
  bool fill_others(std::size_t& bad) {
    bool fits = true;
    for (const std::size_t i : others_) {
      const MessageField& field = options_.fields[i];
      if (field.part == MessagePart::kTimestamp) {
        row_[i] = Value::of_integer(message_.head.timestamp);
      } else if (field.part == MessagePart::kOffset) {
        row_[i] = Value::of_integer(message_.head.offset);
      } else if (field.part == MessagePart::kPartition) {
        row_[i] = Value::of_integer(static_cast<std::int64_t>(slice_->format));
      } else if (const std::string_view text = part(field); text.data() != nullptr) {
        const bool sound = formats::is_valid_utf8(text) || field.type == Type::kBytes;
        const bool one =
            field.type != Type::kJson || (sound && formats::is_one_json(text, options_.max_depth));
        const auto value = !sound || !one                 ? std::nullopt
                           : runtime::is_text(field.type) ? Value::of_text(text)
                                                          : codecs::parse_cell(field.type, text);
        if (value) {
          row_[i] = *value;
        } else {
          bad = i;
          fits = false;
        }
      }
    }
    return fits;
  }

  void accept() {
    std::size_t bad = 0;
    if (!fill_others(bad)) return refuse_field(kFormat, bad, part(options_.fields[bad]));
    for (const auto& [field, value] : defaults_) {
      if (row_[field].is_null()) row_[field] = value;
    }
    Record made = record();
    if (event_time_ >= 0) {
      const Value& time = row_[static_cast<std::size_t>(event_time_)];
      if (!time.is_null()) made.event_time = time.integer();
    }
    out_->emit(made);
  }

  MessageOptions options_;
  runtime::Schema schema_, value_schema_;
  int event_time_;
  codecs::JsonRow json_;
  codecs::KeyTable keys_;
  formats::CsvRowParser csv_;
  std::vector<Value> row_, table_row_;
  std::vector<std::size_t> values_, others_;  // fields from the value; from other parts
  std::vector<std::pair<std::size_t, Value>> defaults_;
  bool utf8_;
  FramedMessage message_;
  const Slice* slice_ = nullptr;
  Outputs* out_ = nullptr;
};

}  // namespace

std::unique_ptr<runtime::Decoder> make_message_decoder(MessageOptions options,
                                                       const runtime::DecoderContext& context) {
  return std::make_unique<MessageDecoder>(std::move(options), context);
}

std::string partition_name(std::string_view topic, int partition) {
  return fmt::format("{}[{}]", topic, partition);
}

}  // namespace huiliu::connectors::kafka
