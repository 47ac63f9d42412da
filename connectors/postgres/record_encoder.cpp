#include "connectors/postgres/record_encoder.h"

#include <optional>
#include <vector>

#include "codecs/value_parsers.h"
#include "connectors/postgres/binary_row.h"
#include "formats/encoding.h"

namespace huiliu::connectors::postgres {

using runtime::Record;
using runtime::Reject;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

namespace {

/// An index of PostgreSQL holds no longer one: 2,704 bytes with what stands beside it.
constexpr std::size_t kMostKeyBytes = 2600;

struct Fault {
  std::string_view en, zh;
};

/// Why a value cannot be stored; nothing if it can.
std::optional<Fault> fault_of(Type type, const Value& value) {
  if (value.is_null()) return std::nullopt;
  if (type == Type::kString) {
    const std::string_view text = value.text();
    if (text.find('\0') != std::string_view::npos) {
      return Fault{"PostgreSQL stores no text with a NUL byte.", "文本含空字节，数据库无法存储。"};
    }
    if (!formats::is_valid_utf8(text)) {
      return Fault{"The text is not UTF-8.", "文本不是UTF-8编码。"};
    }
  }
  if (type == Type::kJson && !is_storable_json(value.text())) {
    return Fault{
        "jsonb does not take the value: no JSON, a NUL character, half of a surrogate "
        "pair, a number beyond numeric, or nested too deeply.",
        "jsonb无法存储该值：不是JSON、含空字符、代理对不完整、数字超出范围或嵌套过深。"};
  }
  const bool moment = type == Type::kTimestamp && !is_storable_time(value.integer());
  if (moment || (type == Type::kDate && !is_storable_date(value.integer()))) {
    return Fault{"The time is outside of what PostgreSQL stores.", "时间超出数据库可存储的范围。"};
  }
  return std::nullopt;
}

class RecordEncoder final : public runtime::SinkEncoder {
 public:
  RecordEncoder(const TableLayout& layout, const codecs::DeleteWhen& delete_when,
                const Schema& input)
      : columns_(layout.columns), key_(layout.key), delete_when_(delete_when) {
    for (const std::string& field : layout.fields) sources_.push_back(input.index_of(field));
  }

  const Reject* encode(const Record& record, std::string& out) override {
    const bool deletes =
        key_ > 0 && (runtime::takes_back(record.change) || delete_when_.holds(record.values));
    const std::size_t head = begin_row(deletes, out);
    const std::size_t fields = deletes ? key_ : sources_.size();
    for (std::size_t i = 0; i < fields; ++i) {
      const Value value = sources_[i] ? record[*sources_[i]] : Value();
      const auto* reject = check(i, value);
      if (reject == nullptr && i + 1 == key_) {
        append_field(columns_[i].type, value, out);
        if (out.size() - head > kMostKeyBytes) reject = too_long(i, value);
      } else if (reject == nullptr) {
        append_field(columns_[i].type, value, out);
      }
      if (reject == nullptr) continue;
      out.resize(head);
      return reject;
    }
    end_row(head, out);
    return nullptr;
  }

 private:
  const Reject* check(std::size_t column, const Value& value) {
    if (column < key_ && value.is_null()) {
      return refuse("E815_NO_KEY", column, value,
                    {"A field of the table's key is empty: without it the row would never be found "
                     "again.",
                     "表的键字段为空，无法再找到该行。"});
    }
    const auto fault = fault_of(columns_[column].type, value);
    return fault ? refuse("E816_NOT_STORABLE", column, value, *fault) : nullptr;
  }

  const Reject* too_long(std::size_t column, const Value& value) {
    return refuse("E816_NOT_STORABLE", column, value,
                  {"The key is longer than an index of PostgreSQL holds (2,600 bytes).",
                   "键过长，超出数据库索引的上限（2600字节）。"});
  }

  const Reject* refuse(std::string_view code, std::size_t column, const Value& value,
                       const Fault& fault) {
    value_.clear();
    if (!value.is_null() && runtime::is_text(columns_[column].type)) {
      value_ = codecs::excerpt(value.text());
    } else if (!value.is_null()) {
      value_ = std::to_string(value.integer());
    }
    field_ = columns_[column].name;
    reject_ = {code, field_, value_, "postgres", fault.en, fault.zh};
    return &reject_;
  }

  Schema columns_;
  std::size_t key_;
  codecs::DeleteWhen delete_when_;
  std::vector<std::optional<std::size_t>> sources_;
  Reject reject_;
  std::string field_, value_;
};

}  // namespace

std::unique_ptr<runtime::SinkEncoder> make_record_encoder(const TableLayout& layout,
                                                          const codecs::DeleteWhen& delete_when,
                                                          const Schema& input) {
  return std::make_unique<RecordEncoder>(layout, delete_when, input);
}

}  // namespace huiliu::connectors::postgres
