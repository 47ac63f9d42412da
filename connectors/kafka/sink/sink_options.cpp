#include "connectors/kafka/sink/sink_options.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codecs/delimiter.h"
#include "connectors/kafka/sink/topic_choice.h"

namespace huiliu::connectors::kafka {

using runtime::Config;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::SinkDeclaration;

namespace {

void check_field(const Config& named, const SinkDeclaration& declaration,
                 Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const runtime::Schema* input : declaration.inputs) {
    for (const runtime::Field& field : input->fields()) known.push_back(field.name);
  }
  if (std::find(known.begin(), known.end(), named.text()) != known.end()) return;
  diagnostics.error(named.place(), fmt::format("no input has a field '{}'", named.text()),
                    runtime::nearest_hint(named.text(), known));
}

void check_message_bytes(const SinkDeclaration& declaration) {
  const Config& size = declaration.config["max_message_bytes"];
  const std::uint64_t bytes = size.as_size();
  constexpr std::uint64_t kFewest = 1000;
  if (bytes >= kFewest && bytes <= kMostMessageBytes) return;
  declaration.diagnostics.error(size.place(), "`max_message_bytes` must be from 1000 to 16MiB");
}

void check_deletions(const SinkDeclaration& declaration) {
  const Config& deletions = declaration.config["delete_when"];
  if (!deletions.is_map()) return;
  for (const auto& [field, texts] : deletions.entries()) {
    check_field(Config::scalar(field, deletions.key_place(field)), declaration,
                declaration.diagnostics);
  }
  if (declaration.config.has("key")) return;
  declaration.diagnostics.error(deletions.place(), "`delete_when` needs a `key`",
                                "a message without a value deletes what has the same key");
}

void check_backend(const SinkDeclaration& declaration) {
  const Config* backend = declaration.backend;
  const bool fits =
      backend == nullptr || (backend->is_map() && backend->string_or("type", "") == "kafka");
  if (!fits) {
    declaration.diagnostics.error(declaration.config["type"].place(),
                                  "a sink of type kafka needs the backend kafka",
                                  "add `backend: {type: kafka, bootstrap: ...}`");
  }
}

/// Those of the key, the headers and the timestamp.
void add_named_fields(const SinkDeclaration& declaration, MessageLayout& layout) {
  const Config& config = declaration.config;
  Diagnostics& diagnostics = declaration.diagnostics;
  if (config.has("key")) {
    const Config& key = config["key"];
    const std::vector<Config> one = {key};
    for (const Config& item : key.is_list() ? key.items() : one) {
      check_field(item, declaration, diagnostics);
      layout.key.push_back(item.text());
    }
  }
  if (config["headers"].is_map()) {
    for (const auto& [name, field] : config["headers"].entries()) {
      check_field(field, declaration, diagnostics);
      layout.headers.emplace_back(name, field.text());
    }
  }
  if (config.has("timestamp")) {
    check_field(config["timestamp"], declaration, diagnostics);
    layout.timestamp = config["timestamp"].text();
  }
}

MessageLayout layout_of(const SinkDeclaration& declaration) {
  const Config& config = declaration.config;
  MessageLayout layout;
  layout.topics = topics_of(config);
  layout.max_bytes = config["max_message_bytes"].as_size();
  layout.format = config.string_or("format", "json");
  layout.delimiter = codecs::named_delimiter(config["delimiter"].text());
  const std::string nulls = config.string_or("nulls", "omit");
  layout.nulls = nulls == "null"      ? codecs::Nulls::kNull
                 : nulls == "default" ? codecs::Nulls::kDefault
                                      : codecs::Nulls::kOmit;
  layout.columns =
      codecs::parse_columns(config["fields"], declaration.inputs, declaration.diagnostics);
  add_named_fields(declaration, layout);
  layout.provenance = config.bool_or("provenance", true);
  return layout;
}

}  // namespace

std::vector<runtime::Option> sink_options() {
  return {
      {.name = "topic",
       .doc = "Topic to write; it must exist. Fields of the record in braces, e.g. "
              "`credit.{kind}`, choose one of `topics`.",
       .required = true},
      {.name = "topics",
       .type = OptionType::kList,
       .doc = "With fields in `topic`: all that it may give. They must exist.",
       .members = {{.name = "topic"}}},
      {.name = "max_message_bytes",
       .type = OptionType::kSize,
       .doc = "Larger messages are rejects: key, value and headers with about 100 bytes for the "
              "batch, before compression. At most `16MiB`, and at most what `max.message.bytes` of "
              "the topic says. Default: what topics take unless they say otherwise.",
       .default_text = "1048588"},
      {.name = "key",
       .type = OptionType::kList,
       .doc = "Fields of the message's key: one field's text, or a JSON object of several. Without "
              "it messages have no key and go to partitions by chance.",
       .members = {{.name = "field"}}},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "Of the message's value. It belongs to the state: a topic goes on in one form, and "
              "csv and flatbuffers with the same fields. A sink of another name may write another "
              "one.",
       .default_text = "json",
       .choices = {"json", "csv", "flatbuffers"}},
      {.name = "delimiter", .doc = "csv: between cells, or `tab`.", .default_text = ","},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is written, in order: a list of field names, or of maps with `name` (in the "
              "message), `field` (of the stream; default: the name) and `default` (written for "
              "null). Default: all fields."},
      codecs::DeleteWhen::option(),
      {.name = "nulls",
       .type = OptionType::kEnum,
       .doc =
           "json: what becomes of a null that has no `default`: left out, written as null, or as "
           "an empty text or 0.",
       .default_text = "omit",
       .choices = {"omit", "null", "default"}},
      {.name = "headers",
       .type = OptionType::kMap,
       .doc = "Header → field.",
       .members = {{.name = "field"}}},
      {.name = "timestamp",
       .doc = "Field with the message's time (ms). Default: the event time, else now."},
      {.name = "provenance",
       .type = OptionType::kBool,
       .doc = "Write the header `huiliu.origin`: `topic[partition]@offset` or the file and row.",
       .default_text = "true"},
      {.name = "compression",
       .type = OptionType::kEnum,
       .doc = "Of batches.",
       .default_text = "none",
       .choices = {"none", "gzip", "snappy", "lz4", "zstd"}}};
}

SinkSettings parse_sink_options(const SinkDeclaration& declaration) {
  SinkSettings settings{.layout = layout_of(declaration),
                        .bootstrap = bootstrap_of(declaration),
                        .messages = written_messages(declaration.config),
                        .compression = declaration.config["compression"].text()};
  check_topic_choice(declaration);
  check_message_bytes(declaration);
  check_deletions(declaration);
  check_backend(declaration);
  return settings;
}

MessageLayout layout_of_input(const SinkDeclaration& declaration, std::size_t input) {
  const auto& settings = declaration.kept<SinkSettings>();
  const runtime::Schema& schema = *declaration.inputs[input];
  const Config& topic = declaration.config["topic"];
  MessageLayout layout = settings.layout;
  layout.delete_when = codecs::DeleteWhen::of_input(declaration.config["delete_when"], schema);
  for (const std::string& name : layout.topics) {
    layout.limits.push_back(limits_of(settings.bootstrap, name));
  }
  if (names_fields(topic)) {
    layout.topic = runtime::TextTemplate::parse(topic, schema, declaration.diagnostics);
  }
  return layout;
}

/// Consumers of a topic read what was written before and after a change alike. JSON names its
/// fields; the others depend on their order.
std::string written_form(const MessageLayout& layout) {
  if (layout.format == "json") return "format=json";
  std::vector<std::string> names;
  for (const auto& column : layout.columns) names.push_back(column.name);
  const std::string columns = fmt::format("columns=({})", fmt::join(names, ", "));
  return layout.format == "csv"
             ? fmt::format("format=csv delimiter='{}' {}", layout.delimiter, columns)
             : fmt::format("format={} {}", layout.format, columns);
}

}  // namespace huiliu::connectors::kafka
