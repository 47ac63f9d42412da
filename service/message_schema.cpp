#include "service/message_schema.h"

#include <optional>
#include <vector>

#include <fmt/format.h>

#include "codecs/row_encoder.h"
#include "operators/field_names.h"
#include "runtime/base/check.h"
#include "service/json_page.h"
#include "service/rules/headings.h"

namespace huiliu::service {
namespace {

using runtime::Config;
using runtime::Node;
using runtime::Topology;
using runtime::Type;

std::string_view json_type(Type type) {
  switch (type) {
    case Type::kBool:
      return "boolean";
    case Type::kInt64:
    case Type::kTimestamp:
      return "integer";
    case Type::kFloat64:
      return "number";
    case Type::kJson:
      return "";  // anything
    default:
      return "string";
  }
}

class MessageSchema final : JsonPage {
 public:
  MessageSchema(const Topology& topology, const Node& sink)
      : topology_(topology), sink_(sink), config_(*sink.config) {
    for (const Node& node : topology.nodes) {
      if (node.type_name != "validate" || !node.config->has("headings")) continue;
      headings_ = Headings(*node.config);
      break;
    }
  }

  std::string write() {
    runtime::Diagnostics found;
    const auto columns =
        codecs::parse_columns(config_["fields"], sink_.sink_declaration->inputs, found);
    HUILIU_CHECK(!found.has_errors());  // the sink's own declaration would have refused them
    json_.StartObject();
    pair("$schema", "http://json-schema.org/draft-07/schema#");
    pair("title", config_.string_or("topic", sink_.name));
    pair("description", description());
    pair("type", "object");
    key("properties");
    json_.StartObject();
    for (const codecs::OutputColumn& column : columns) property(column);
    json_.EndObject();
    if (config_.has("key")) write_key();
    json_.EndObject();
    return page();
  }

 private:
  std::string description() const {
    std::string out =
        fmt::format("Sink {} of topology {} {}.", sink_.name, topology_.id, topology_.version);
    const std::string nulls = config_.string_or("nulls", "omit");
    if (nulls == "omit") out += " A field without a value is left out.";
    if (nulls == "null") out += " A field without a value is null.";
    if (config_.has("delete_when")) {
      out += " A message without a value deletes what has its key.";
    }
    return out + " Fields may be added.";
  }

  Type type_of(const std::string& field) const {
    for (const runtime::Schema* input : sink_.sink_declaration->inputs) {
      if (const auto index = input->index_of(field)) return (*input)[*index].type;
    }
    return Type::kString;
  }

  void property(const codecs::OutputColumn& column) {
    const Type type = type_of(column.field);
    const std::string_view name = json_type(type);
    key(column.name);
    json_.StartObject();
    const bool null = config_.string_or("nulls", "omit") == "null" && !column.absent;
    if (!name.empty()) {
      key("type");
      if (null) json_.StartArray();
      text(name);
      if (null) text("null"), json_.EndArray();
    }
    if (type == Type::kDate) pair("format", "date");
    const std::string heading = headings_.text(column.field, {});
    if (!heading.empty()) pair("description", heading);
    json_.EndObject();
  }

  // One field: its text. Several: a JSON object with all of them, null for none.
  void write_key() {
    key("x-key");
    json_.StartArray();
    for (const Config* field : operators::items_of(config_["key"])) text(field->text());
    json_.EndArray();
  }

  const Topology& topology_;
  const Node& sink_;
  const Config& config_;
  Headings headings_;
};

}  // namespace

bool has_message_schema(const Node& node) {
  if (node.sink == nullptr) return false;
  const std::string format = node.config->string_or("format", "");
  return (node.type_name == "kafka" && format == "json") ||
         (node.type_name == "file" && format == "ndjson");
}

std::string message_schema(const Topology& topology, const Node& sink) {
  return MessageSchema(topology, sink).write();
}

}  // namespace huiliu::service
