#include "service/json_schema.h"

#include "runtime/topology/topology.h"
#include "service/json_page.h"

namespace huiliu::service {
namespace {

using runtime::ComponentKind;
using runtime::Option;
using runtime::OptionType;

class SchemaWriter final : JsonPage {
 public:
  explicit SchemaWriter(const runtime::Registry& registry) : registry_(registry) {}

  std::string write() {
    json_.StartObject();
    pair("$schema", "http://json-schema.org/draft-07/schema#");
    pair("title", "Huiliu topology");
    pair("type", "object");
    key("properties");
    json_.StartObject();
    for (const Option& option : runtime::topology_options()) {
      if (option.name == "sources" || option.name == "operators" || option.name == "sinks" ||
          option.name == "backend")
        continue;
      key(option.name);
      value(option);
    }
    section("sources", ComponentKind::kSource);
    section("operators", ComponentKind::kOperator);
    section("sinks", ComponentKind::kSink);
    key("backend");
    one_of(ComponentKind::kBackend);
    json_.EndObject();
    json_.EndObject();
    return page();
  }

 private:
  void section(std::string_view name, ComponentKind kind) {
    key(name);
    json_.StartObject();
    pair("type", "object");
    key("additionalProperties");
    one_of(kind);
    json_.EndObject();
  }

  void one_of(ComponentKind kind) {
    json_.StartObject();
    key("oneOf");
    json_.StartArray();
    for (const auto* descriptor : registry_.descriptors(kind)) node(*descriptor);
    json_.EndArray();
    json_.EndObject();
  }

  void node(const runtime::Descriptor& descriptor) {
    json_.StartObject();
    pair("description", descriptor.summary);
    pair("type", "object");
    key("properties");
    json_.StartObject();
    key("type");
    json_.StartObject();
    pair("const", descriptor.name);
    json_.EndObject();
    for (const std::string& name : runtime::node_keys(descriptor.kind)) {
      if (name == "type") continue;
      key(name);
      json_.StartObject();
      if (name != "input") pair("type", "string");
      json_.EndObject();
    }
    for (const Option& option : descriptor.options) {
      key(option.name);
      value(option);
    }
    json_.EndObject();
    required(descriptor.options, true);
    key("additionalProperties");
    json_.Bool(false);
    json_.EndObject();
  }

  void required(const std::vector<Option>& options, bool with_type) {
    key("required");
    json_.StartArray();
    if (with_type) text("type");
    for (const Option& option : options) {
      if (option.required) text(option.name);
    }
    json_.EndArray();
  }

  void value(const Option& option) {
    json_.StartObject();
    if (!option.doc.empty()) pair("description", option.doc);
    if (!option.default_text.empty()) pair("default", option.default_text);
    constraint(option);
    json_.EndObject();
  }

  // Numbers and booleans may also be written as text that a variable fills: "${NAME}".
  void typed_or_text(std::string_view type) {
    key("type");
    json_.StartArray();
    text(type);
    text("string");
    json_.EndArray();
  }

  void constraint(const Option& option) {
    switch (option.type) {
      case OptionType::kInt:
        typed_or_text("integer");
        break;
      case OptionType::kFloat:
        typed_or_text("number");
        break;
      case OptionType::kBool:
        typed_or_text("boolean");
        break;
      case OptionType::kSize:
        typed_or_text("integer");
        break;
      case OptionType::kEnum:
        key("enum");
        json_.StartArray();
        for (const std::string& choice : option.choices) text(choice);
        json_.EndArray();
        break;
      case OptionType::kObject:
        pair("type", "object");
        key("properties");
        json_.StartObject();
        for (const Option& member : option.members) {
          key(member.name);
          value(member);
        }
        json_.EndObject();
        required(option.members, false);
        break;
      case OptionType::kMap:
        pair("type", "object");
        if (option.members.empty()) break;
        key("additionalProperties");
        value(option.members.front());
        break;
      case OptionType::kList:
      case OptionType::kAny:
        break;  // a scalar counts as a list of one
      default:
        key("type");
        json_.StartArray();
        text("string");
        text("number");
        json_.EndArray();
        break;
    }
    if (option.minimum) key("minimum"), json_.Double(*option.minimum);
    if (option.maximum) key("maximum"), json_.Double(*option.maximum);
  }

  const runtime::Registry& registry_;
};

}  // namespace

std::string topology_json_schema(const runtime::Registry& registry) {
  return SchemaWriter(registry).write();
}

}  // namespace huiliu::service
