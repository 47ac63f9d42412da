#include "codecs/row_encoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "codecs/json_text.h"
#include "formats/csv.h"
#include "runtime/record/value_text.h"

namespace huiliu::codecs {

using runtime::Config;
using runtime::Record;
using runtime::Schema;
using runtime::Type;
using runtime::Value;

namespace {

struct Column {
  std::string prefix;  // ,"name":
  int source = -1;
  Type type = Type::kString;
  std::string absent;  // written after the prefix for null; empty: leave the column out
};

std::string json_literal(const OutputColumn& column, Type type, Nulls nulls) {
  if (!column.absent && nulls == Nulls::kNull) return "null";
  if (!column.absent && nulls == Nulls::kOmit) return "";
  const bool quoted = runtime::is_text(type) ? type != Type::kJson : type == Type::kDate;
  if (quoted) {
    std::string text;
    append_json_string(column.absent.value_or(""), text);
    return text;
  }
  if (column.absent) return *column.absent;
  return type == Type::kBool ? "false" : type == Type::kJson ? "null" : "0";
}

class JsonEncoder final : public runtime::SinkEncoder {
 public:
  JsonEncoder(const std::vector<OutputColumn>& columns, const Schema& input, Nulls nulls) {
    for (const OutputColumn& column : columns) {
      Column& made = columns_.emplace_back();
      const auto index = input.index_of(column.field);
      if (index) {
        made.source = static_cast<int>(*index);
        made.type = input[*index].type;
      }
      made.prefix = ",";
      append_json_string(column.name, made.prefix);
      made.prefix += ':';
      made.absent = json_literal(column, made.type, nulls);
      fixed_ += made.prefix.size() + std::max(made.absent.size(), runtime::kScalarTextBytes) + 2;
    }
  }

  const runtime::Reject* encode(const Record& record, std::string& out) override {
    std::size_t bound = fixed_ + 4;
    for (const Column& column : columns_) {
      if (column.source < 0 || !runtime::is_text(column.type)) continue;
      bound += record[static_cast<std::size_t>(column.source)].text().size() * 6 + kJsonSlack;
    }
    if (bound > size_) grow(bound);
    char* const begin = buffer_.get();
    char* to = begin;
    for (const Column& column : columns_) to = put(to, column, record);
    if (to == begin) *to++ = '{';
    *begin = '{';
    *to++ = '}';
    *to++ = '\n';
    out.append(begin, static_cast<std::size_t>(to - begin));
    return nullptr;
  }

 private:
  static char* put(char* to, const Column& column, const Record& record) {
    const Value* value =
        column.source < 0 ? nullptr : &record[static_cast<std::size_t>(column.source)];
    if (value == nullptr || value->is_null()) {
      if (column.absent.empty()) return to;
      to = std::copy(column.prefix.begin(), column.prefix.end(), to);
      return std::copy(column.absent.begin(), column.absent.end(), to);
    }
    to = std::copy(column.prefix.begin(), column.prefix.end(), to);
    if (column.type == Type::kString || column.type == Type::kBytes) {
      return put_json_string(to, value->text());
    }
    if (column.type == Type::kJson) {
      // Line ends between its tokens would end the line.
      const std::string_view text = value->text();
      return std::replace_copy(text.begin(), text.end(), to, '\n', ' ');
    }
    if (column.type == Type::kFloat64 && !std::isfinite(value->real())) {
      constexpr std::string_view kNull = "null";
      return std::copy(kNull.begin(), kNull.end(), to);
    }
    if (column.type != Type::kDate) return runtime::put_scalar_text(to, column.type, *value);
    *to++ = '"';
    to = runtime::put_scalar_text(to, column.type, *value);
    *to++ = '"';
    return to;
  }

  void grow(std::size_t bound) {
    size_ = bound * 2;
    buffer_ = std::make_unique_for_overwrite<char[]>(size_);
  }

  std::vector<Column> columns_;
  std::size_t fixed_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
};

class CsvEncoder final : public runtime::SinkEncoder {
 public:
  CsvEncoder(const std::vector<OutputColumn>& columns, const Schema& input, char delimiter)
      : columns_(columns), writer_(formats::CsvDialect{delimiter, '"'}) {
    for (const OutputColumn& column : columns) {
      const auto index = input.index_of(column.field);
      sources_.push_back(index ? static_cast<int>(*index) : -1);
      types_.push_back(index ? input[*index].type : Type::kString);
    }
    cells_.resize(columns.size());
    scratch_.resize(columns.size());
  }

  const runtime::Reject* encode(const Record& record, std::string& out) override {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Value value = sources_[i] < 0 ? Value() : record[static_cast<std::size_t>(sources_[i])];
      cells_[i] = value.is_null() ? std::string_view(columns_[i].absent ? *columns_[i].absent : "")
                                  : value_text(types_[i], value, scratch_[i]);
    }
    writer_.append_row(std::span<const std::string_view>(cells_), out);
    return nullptr;
  }

 private:
  std::vector<OutputColumn> columns_;
  formats::CsvWriter writer_;
  std::vector<int> sources_;
  std::vector<Type> types_;
  std::vector<std::string_view> cells_;
  std::vector<std::string> scratch_;
};

}  // namespace

std::vector<OutputColumn> parse_columns(const Config& fields,
                                        const std::vector<const Schema*>& inputs,
                                        runtime::Diagnostics& diagnostics) {
  std::vector<OutputColumn> columns;
  std::vector<std::string> known;
  for (const Schema* input : inputs) {
    for (const runtime::Field& field : input->fields()) {
      if (std::find(known.begin(), known.end(), field.name) == known.end()) {
        known.push_back(field.name);
      }
    }
  }
  if (fields.is_null()) {
    for (const std::string& name : known) columns.push_back({name, name, std::nullopt});
    return columns;
  }
  const auto add = [&](const Config& item) {
    if (!item.is_scalar() && !(item.is_map() && item["name"].is_scalar())) {
      diagnostics.error(item.place(), "expected a field's name, or a map of name, field, default");
      return;
    }
    OutputColumn column;
    column.name = item.is_scalar() ? item.text() : item["name"].text();
    column.field = item.is_scalar() ? column.name : item.string_or("field", column.name);
    if (item.is_map()) {
      for (const auto& [key, value] : item.entries()) {
        if (key == "default") {
          column.absent = value.is_null() ? std::string("null") : value.text();
        } else if (key != "name" && key != "field") {
          diagnostics.error(item.key_place(key), "unknown key '" + key + "'",
                            "known are name, field, default");
        }
      }
    }
    if (std::find(known.begin(), known.end(), column.field) == known.end()) {
      diagnostics.error(item.place(), "no input has a field '" + column.field + "'",
                        runtime::nearest_hint(column.field, known));
    }
    columns.push_back(std::move(column));
  };
  if (fields.is_list()) {
    for (const Config& item : fields.items()) add(item);
  } else {
    add(fields);
  }
  return columns;
}

std::unique_ptr<runtime::SinkEncoder> make_json_encoder(const std::vector<OutputColumn>& columns,
                                                        const Schema& input, Nulls nulls) {
  return std::make_unique<JsonEncoder>(columns, input, nulls);
}

std::unique_ptr<runtime::SinkEncoder> make_csv_encoder(const std::vector<OutputColumn>& columns,
                                                       const Schema& input, char delimiter) {
  return std::make_unique<CsvEncoder>(columns, input, delimiter);
}

}  // namespace huiliu::codecs
