#include "connectors/kafka/source/message_options.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "codecs/delimiter.h"
#include "codecs/value_parsers.h"

namespace huiliu::connectors::kafka {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;
using runtime::Type;

namespace {

constexpr std::array kParts = {"value", "key",       "header", "timestamp",
                               "topic", "partition", "offset"};

const std::vector<Option>& field_options() {
  static const std::vector<Option> options = {
      {.name = "name", .doc = "Name of the field.", .required = true},
      {.name = "type",
       .type = OptionType::kEnum,
       .doc = "Type of the field.",
       .default_text = "string",
       .choices = {"string", "int64", "float64", "bool", "timestamp", "json", "bytes"}},
      {.name = "from",
       .type = OptionType::kEnum,
       .doc = "Part of the message.",
       .default_text = "value",
       .choices = {kParts.begin(), kParts.end()}},
      {.name = "text_only",
       .type = OptionType::kBool,
       .doc =
           "Of the source `file`, so that both may include the same fields; without effect here.",
       .default_text = "false"},
      {.name = "header", .doc = "Name of the header. Default: the field's name."},
      {.name = "default", .doc = "Value for null."}};
  return options;
}

Type natural_type(MessagePart part) {
  switch (part) {
    case MessagePart::kTimestamp:
      return Type::kTimestamp;
    case MessagePart::kPartition:
    case MessagePart::kOffset:
      return Type::kInt64;
    default:
      return Type::kString;
  }
}

void parse_field(const Config& item, MessageOptions& options, Diagnostics& diagnostics) {
  MessageField field;
  if (item.is_scalar()) {
    field.name = item.text();
  } else {
    const std::size_t before = diagnostics.errors();
    runtime::check_config(item, field_options(), {}, diagnostics);
    if (!item.is_map() || diagnostics.errors() != before) return;
    field.name = item["name"].text();
    const std::string from = item.string_or("from", "value");
    field.part =
        static_cast<MessagePart>(std::find(kParts.begin(), kParts.end(), from) - kParts.begin());
    field.type = item.has("type") ? runtime::parse_type(item["type"].text()).value_or(Type::kString)
                                  : natural_type(field.part);
    field.header = item.string_or("header", field.name);
    if (item.has("default")) field.absent = item["default"].text();
    if (field.absent && !codecs::parse_cell(field.type, *field.absent)) {
      diagnostics.error(item["default"].place(), "the default does not fit the field's type");
    }
    const bool fixed = natural_type(field.part) != Type::kString;
    if (fixed && field.type != natural_type(field.part) && field.type != Type::kInt64) {
      diagnostics.error(item["type"].place(),
                        fmt::format("a field from `{}` is of type {}", from,
                                    runtime::type_name(natural_type(field.part))));
    }
  }
  if (options.schema().index_of(field.name)) {
    diagnostics.error(item.place(), "field '" + field.name + "' is named twice");
    return;
  }
  options.fields.push_back(std::move(field));
}

void check_raw(const Config& config, const MessageOptions& options, Diagnostics& diagnostics) {
  std::size_t values = 0;
  for (const MessageField& field : options.fields) {
    if (field.part != MessagePart::kValue) continue;
    ++values;
    if (!runtime::is_text(field.type)) {
      diagnostics.error(
          config["fields"].place(),
          fmt::format("format raw: field '{}' must be a string, bytes or json", field.name));
    }
  }
  if (values > 1) {
    diagnostics.error(config["fields"].place(), "format raw has one field from `value` at most");
  }
}

}  // namespace

runtime::Schema MessageOptions::schema() const {
  runtime::Schema schema;
  for (const MessageField& field : fields) schema.add(field.name, field.type);
  return schema;
}

std::vector<Option> message_options() {
  return {
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "Of the message's value. flatbuffers: a table whose fields are the stream's fields "
              "from `value`, in order (`huiliu schema` prints it). csv: one row, cells in the "
              "fields' order. raw: the value as one field.",
       .default_text = "json",
       .choices = {"json", "csv", "flatbuffers", "raw"}},
      {.name = "delimiter", .doc = "csv: between cells, or `tab`.", .default_text = ","},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc =
           "The stream's fields: names (text of the value), or maps with `name`, `type` (string, "
           "int64, float64, bool, timestamp, json, bytes), `from` (value, key, header, "
           "timestamp, topic, partition, offset), `header` (its name) and `default` (for null).",
       .required = true},
      {.name = "codes",
       .type = OptionType::kMap,
       .doc = "Other names for reject codes, e.g. E801_BAD_JSON: bad_json.",
       .members = {{.name = "name"}}},
      {.name = "max_depth",
       .type = OptionType::kInt,
       .doc = "json: deepest nesting.",
       .default_text = "64",
       .minimum = 1,
       .maximum = 1024}};
}

MessageOptions parse_message_options(const Config& config, Diagnostics& diagnostics) {
  MessageOptions options;
  const std::string format = config.string_or("format", "json");
  options.format = format == "csv"           ? MessageFormat::kCsv
                   : format == "flatbuffers" ? MessageFormat::kFlatbuffers
                   : format == "raw"         ? MessageFormat::kRaw
                                             : MessageFormat::kJson;
  options.delimiter = codecs::named_delimiter(config.string_or("delimiter", ","));
  const Config& fields = config["fields"];
  if (fields.is_list()) {
    for (const Config& item : fields.items()) parse_field(item, options, diagnostics);
  } else if (!fields.is_null()) {
    parse_field(fields, options, diagnostics);
  }
  if (options.fields.empty() && !diagnostics.has_errors()) {
    diagnostics.error(config.place(), "`fields` names no field");
  }
  if (options.format == MessageFormat::kRaw) check_raw(config, options, diagnostics);
  options.max_depth = static_cast<int>(config.int_or("max_depth", 64));
  if (config["codes"].is_map()) {
    for (const auto& [code, name] : config["codes"].entries()) {
      options.codes.emplace_back(code, name.text());
    }
  }
  return options;
}

}  // namespace huiliu::connectors::kafka
