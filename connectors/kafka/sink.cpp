#include <algorithm>

#include <fmt/format.h>

#include "connectors/kafka/client.h"
#include "connectors/kafka/message_encoder.h"
#include "connectors/kafka/message_frame.h"
#include "connectors/kafka/transaction.h"
#include "runtime/failpoint.h"
#include "runtime/registry.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Config;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::SinkDeclaration;
using runtime::Status;

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

MessageLayout layout_of(const SinkDeclaration& declaration, Diagnostics& diagnostics) {
  const Config& config = declaration.config;
  MessageLayout layout;
  layout.format = config.string_or("format", "json");
  const std::string delimiter = config.string_or("delimiter", ",");
  layout.delimiter = delimiter == "tab" ? '\t' : delimiter.empty() ? ',' : delimiter[0];
  const std::string nulls = config.string_or("nulls", "omit");
  layout.nulls = nulls == "null"      ? Nulls::kNull
                 : nulls == "default" ? Nulls::kDefault
                                      : Nulls::kOmit;
  layout.columns = parse_columns(config["fields"], declaration.inputs, diagnostics);
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
  layout.provenance = config.bool_or("provenance", true);
  return layout;
}

/// Produces into the backend's transaction, whose commit makes the records visible.
class KafkaSink final : public runtime::FileLikeSink {
 public:
  explicit KafkaSink(const SinkDeclaration& declaration)
      : topic_name_(declaration.config["topic"].text()) {
    settings_.compression = declaration.config.string_or("compression", "none");
  }

  Status open(const runtime::SinkContext& context) override {
    transaction_ = dynamic_cast<Transaction*>(context.transaction);
    if (transaction_ == nullptr) {
      return Status::invalid(fmt::format(
          "sink '{}' of type kafka needs `backend: {{type: kafka, ...}}`", context.node_name));
    }
    auto topic = transaction_->topic(topic_name_, settings_);
    if (!topic.is_ok()) return topic.status();
    topic_ = *topic;
    return Status::ok();
  }

  Status append(std::string_view bytes, std::uint64_t) override {
    const char* at = bytes.data();
    const char* const end = at + bytes.size();
    while (at < end) {
      const FramedMessage message = read_frame(at);
      Outgoing record;
      if (message.head.key_size >= 0) record.key = message.key;
      if (message.head.value_size >= 0) record.value = message.value;
      record.timestamp_ms = message.head.timestamp;
      headers_.clear();
      std::string_view rest = message.headers;
      for (Header header; take_header(rest, header.name, header.value);) headers_.push_back(header);
      record.headers = headers_;
      if (Status status = transaction_->produce(topic_, record); !status.is_ok()) return status;
      at += message.head.frame_size;
    }
    return Status::ok();
  }

  Status prepare(std::vector<std::pair<std::string, std::string>>&) override {
    if (runtime::mutant("kafka.outputs_early")) {
      if (Status status = transaction_->commit(); !status.is_ok()) return status;
      return transaction_->begin();
    }
    return Status::ok();  // the backend flushes all topics at once
  }

 private:
  std::string topic_name_;
  TopicSettings settings_;
  Transaction* transaction_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  std::vector<Header> headers_;
};

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "kafka";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Writes records to a topic of Kafka, in the epoch's transaction.";
  d.description =
      "Needs `backend: {type: kafka}`. Consumers with `isolation.level=read_committed` see each "
      "record exactly once, in the input's order per key. Partitions are chosen by the key as the "
      "Java client's default does (murmur2), so that other writers and readers fit. The header "
      "`huiliu.origin` says where a record was read.";
  d.options = {
      {.name = "topic", .doc = "Topic to write; it must exist.", .required = true},
      {.name = "key",
       .type = OptionType::kList,
       .doc = "Fields of the message's key: one field's text, or a JSON object of several. Without "
              "it messages have no key and go to partitions by chance.",
       .members = {{.name = "field"}}},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "Of the message's value.",
       .default_text = "json",
       .choices = {"json", "csv", "flatbuffers"}},
      {.name = "delimiter", .doc = "csv: between cells, or `tab`.", .default_text = ","},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is written, in order: a list of field names, or of maps with `name` (in the "
              "message), `field` (of the stream; default: the name) and `default` (written for "
              "null). Default: all fields."},
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
  d.traits = {.transactional = true,
              .reason = "records are part of the epoch's transaction",
              .shareable = true};
  d.example = "type: kafka\ninput: STREAM\ntopic: credit.legal\nkey: uscc\nformat: json\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    layout_of(declaration, declaration.diagnostics);
    const Config* backend = declaration.backend;
    const bool fits =
        backend == nullptr || (backend->is_map() && backend->string_or("type", "") == "kafka");
    if (!fits) {
      declaration.diagnostics.error(declaration.config["type"].place(),
                                    "a sink of type kafka needs the backend kafka",
                                    "add `backend: {type: kafka, bootstrap: ...}`");
    }
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    Diagnostics ignored;  // declare() has reported them
    return make_message_encoder(layout_of(declaration, ignored), *declaration.inputs[input]);
  };
  t.create_file = [](const SinkDeclaration& declaration) {
    return std::make_unique<KafkaSink>(declaration);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::kafka
