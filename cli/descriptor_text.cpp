#include "cli/descriptor_text.h"

#include <fmt/format.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace huiliu::cli {
namespace {

using runtime::ComponentKind;
using runtime::Descriptor;
using runtime::Option;
using runtime::OptionType;
using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

std::string bounds_text(const Option& option) {
  if (option.minimum && option.maximum) {
    return fmt::format(", {} to {}", *option.minimum, *option.maximum);
  }
  const bool duration = option.type == runtime::OptionType::kDuration;
  if (option.minimum) return fmt::format(", at least {}{}", *option.minimum, duration ? "ms" : "");
  if (option.maximum) return fmt::format(", at most {}", *option.maximum);
  return "";
}

std::string or_words(const Option& option) {
  return option.choices.empty() ? "" : fmt::format(" or {}", fmt::join(option.choices, ", "));
}

std::string need_text(const Option& option) {
  if (option.required) return "required";
  return option.default_text.empty() ? "" : "default " + option.default_text;
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : one_line(text)) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

// The keys of objects are rows of their own, named "outer.inner".
void option_rows(const std::vector<Option>& options, const std::string& prefix, std::string& out) {
  for (const Option& option : options) {
    const std::string name = prefix + (option.name.empty() ? "*" : option.name);
    const std::string fallback = option.default_text.empty() ? "" : "`" + option.default_text + "`";
    out += fmt::format("| `{}` | {} | {} | {} |\n", name,
                       cell(option_type_text(option) + bounds_text(option)),
                       option.required ? "required" : cell(fallback), cell(option.doc));
    if (option.type == OptionType::kObject) option_rows(option.members, name + ".", out);
    if ((option.type == OptionType::kList || option.type == OptionType::kMap) &&
        !option.members.empty() && option.members.front().type == OptionType::kObject) {
      const char* inner = option.type == OptionType::kList ? "[]." : ".*.";
      option_rows(option.members.front().members, name + inner, out);
    }
  }
}

std::string traits_text(const Descriptor& descriptor) {
  std::string out;
  const auto add = [&out](bool on, std::string_view what) {
    if (on) out += fmt::format("{}{}", out.empty() ? "" : ", ", what);
  };
  add(descriptor.keyed, "keyed");
  add(descriptor.stateful, "stateful");
  add(descriptor.rejects, "has rejects");
  add(descriptor.traits.replayable, "replayable");
  add(descriptor.traits.transactional, "transactional");
  add(descriptor.traits.idempotent, "idempotent");
  return out;
}

void write(Writer& json, std::string_view text) {
  json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void write(Writer& json, const char* key, std::string_view text) {
  json.Key(key);
  write(json, text);
}

void write_options(Writer& json, const std::vector<Option>& options) {
  json.StartArray();
  for (const Option& option : options) {
    json.StartObject();
    write(json, "name", option.name);
    write(json, "type", option_type_text(option));
    write(json, "doc", option.doc);
    json.Key("required");
    json.Bool(option.required);
    if (!option.default_text.empty()) write(json, "default", option.default_text);
    if (option.minimum) json.Key("minimum"), json.Double(*option.minimum);
    if (option.maximum) json.Key("maximum"), json.Double(*option.maximum);
    if (!option.members.empty()) {
      json.Key("members");
      write_options(json, option.members);
    }
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string option_type_text(const Option& option) {
  const auto element = [&option] {
    return option.members.empty() ? std::string("anything")
                                  : option_type_text(option.members.front());
  };
  switch (option.type) {
    case OptionType::kString:
      return "text";
    case OptionType::kInt:
      return "whole number" + or_words(option);
    case OptionType::kFloat:
      return "number" + or_words(option);
    case OptionType::kBool:
      return "true or false";
    case OptionType::kDuration:
      return "duration";
    case OptionType::kSize:
      return "size";
    case OptionType::kEnum:
      return fmt::format("one of {}", fmt::join(option.choices, ", "));
    case OptionType::kField:
      return "field of the input";
    case OptionType::kPath:
      return "path";
    case OptionType::kList:
      return "list of " + element();
    case OptionType::kMap:
      return option.members.empty() ? "map" : "map to " + element();
    case OptionType::kObject:
      return "map";
    case OptionType::kAny:
      return "see below";
  }
  return "";
}

std::string descriptor_text(const Descriptor& descriptor) {
  std::string out =
      fmt::format("{} {}: {}\n", kind_name(descriptor.kind), descriptor.name, descriptor.summary);
  if (!descriptor.description.empty()) out += "\n" + descriptor.description + "\n";
  if (!descriptor.options.empty()) out += "\noptions\n";
  for (const Option& option : descriptor.options) {
    const std::string need = need_text(option);
    out += fmt::format("  {} ({}{}{}{})\n      {}\n", option.name, option_type_text(option),
                       bounds_text(option), need.empty() ? "" : "; ", need, option.doc);
  }
  if (!descriptor.inputs.empty()) out += "\ninputs, in this order\n";
  for (const auto& input : descriptor.inputs)
    out += fmt::format("  {}: {}\n", input.name, input.doc);
  if (!descriptor.outputs.empty()) out += "\nside outputs\n";
  for (const auto& port : descriptor.outputs) out += fmt::format("  {}: {}\n", port.name, port.doc);
  if (const std::string traits = traits_text(descriptor); !traits.empty()) {
    out += "\ntraits: " + traits + "\n";
  }
  if (!descriptor.traits.reason.empty()) out += "guarantee: " + descriptor.traits.reason + "\n";
  if (!descriptor.example.empty()) out += "\nexample\n" + descriptor.example + "\n";
  return out;
}

std::string options_markdown(const std::vector<Option>& options) {
  std::string out = "| option | type | default | meaning |\n| --- | --- | --- | --- |\n";
  option_rows(options, "", out);
  return out;
}

std::string descriptor_markdown(const Descriptor& descriptor) {
  std::string out = fmt::format("# {} `{}`\n\n{}\n", kind_name(descriptor.kind), descriptor.name,
                                descriptor.summary);
  if (!descriptor.description.empty()) out += "\n" + descriptor.description + "\n";
  if (const std::string traits = traits_text(descriptor); !traits.empty()) {
    out += "\nTraits: " + traits + ".\n";
  }
  if (!descriptor.traits.reason.empty()) out += "Guarantee: " + descriptor.traits.reason + "\n";
  if (!descriptor.inputs.empty()) {
    out += "\n## Inputs, in this order\n\n";
    for (const auto& input : descriptor.inputs) {
      out += fmt::format("- {}: {}\n", input.name, input.doc);
    }
  }
  if (!descriptor.options.empty()) {
    out += "\n## Options\n\n" + options_markdown(descriptor.options);
  }
  if (!descriptor.outputs.empty() || descriptor.rejects) {
    out += "\n## Side outputs\n\n";
    for (const auto& port : descriptor.outputs) {
      out += fmt::format("- `{}`: {}\n", port.name, port.doc);
    }
    if (descriptor.rejects) out += "- `rejects`: refused records with code, field and reason\n";
  }
  if (!descriptor.example.empty()) {
    out += "\n## Example\n\n```yaml\n" + descriptor.example;
    if (out.back() != '\n') out += '\n';
    out += "```\n";
  }
  return out;
}

std::string descriptor_json(const Descriptor& descriptor) {
  rapidjson::StringBuffer buffer;
  Writer json(buffer);
  json.StartObject();
  write(json, "kind", kind_name(descriptor.kind));
  write(json, "name", descriptor.name);
  write(json, "summary", descriptor.summary);
  write(json, "description", descriptor.description);
  write(json, "traits", traits_text(descriptor));
  json.Key("options");
  write_options(json, descriptor.options);
  json.Key("inputs");
  json.StartArray();
  for (const auto& input : descriptor.inputs) write(json, input.name);
  json.EndArray();
  json.Key("outputs");
  json.StartArray();
  for (const auto& port : descriptor.outputs) write(json, port.name);
  if (descriptor.rejects) write(json, "rejects");
  json.EndArray();
  write(json, "example", descriptor.example);
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace huiliu::cli
