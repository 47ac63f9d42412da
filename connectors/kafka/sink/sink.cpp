#include <algorithm>
#include <cstdlib>
#include <map>
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include "connectors/kafka/client/client.h"
#include "connectors/kafka/client/message_frame.h"
#include "connectors/kafka/client/topic_settings.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/client/transaction.h"
#include "connectors/kafka/sink/message_encoder.h"
#include "runtime/base/check.h"
#include "runtime/base/failpoint.h"
#include "runtime/component/registry.h"

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

bool names_fields(const Config& topic) { return topic.text().find('{') != std::string::npos; }

std::vector<std::string> topics_of(const Config& config) {
  return names_fields(config["topic"]) ? config["topics"].as_strings()
                                       : std::vector{config["topic"].text()};
}

std::string bootstrap_of(const SinkDeclaration& declaration) {
  const Config* const backend = declaration.backend;
  return backend != nullptr && backend->is_map() ? backend->string_or("bootstrap", "") : "";
}

void check_names(const SinkDeclaration& declaration) {
  const bool listed = names_fields(declaration.config["topic"]);
  const Config& place = declaration.config[listed ? "topics" : "topic"];
  for (const std::string& topic : topics_of(declaration.config)) {
    if (is_topic_name(topic)) continue;
    declaration.diagnostics.error(
        place.place(), fmt::format("'{}' cannot be the name of a topic", topic), kTopicNameRule);
  }
}

bool reads(const std::string& named, const std::string& topic) {
  if (!named.starts_with('^')) return named == topic;
  try {
    return std::regex_search(topic, std::regex(named));
  } catch (const std::regex_error&) {
    return false;  // the source says so
  }
}

/// A topology that reads what it writes goes round for ever.
void check_not_read(const SinkDeclaration& declaration) {
  const std::string bootstrap = bootstrap_of(declaration);
  for (const auto& [name, source] : declaration.sources) {
    if (source->string_or("type", "") != "kafka") continue;
    if (source->string_or("bootstrap", bootstrap) != bootstrap) continue;
    for (const std::string& named : (*source)["topic"].as_strings()) {
      for (const std::string& topic : topics_of(declaration.config)) {
        if (!reads(named, topic)) continue;
        declaration.diagnostics.error(
            declaration.config["topic"].place(),
            fmt::format("source '{}' reads the topic '{}', which is written here: the topology "
                        "would feed itself",
                        name, topic),
            named.starts_with('^') ? "write a pattern that does not match it, or give it another "
                                     "name"
                                   : "read or write another topic");
      }
    }
  }
}

/// A record whose input lacks a field of the name would never have a topic.
void check_topics(const SinkDeclaration& declaration) {
  const Config& topic = declaration.config["topic"];
  const Config& topics = declaration.config["topics"];
  Diagnostics& diagnostics = declaration.diagnostics;
  if (!names_fields(topic)) {
    if (topics.is_null()) return;
    diagnostics.error(topics.place(), "`topics` goes with a `topic` that names fields",
                      "leave it out, or write e.g. topic: \"credit.{kind}\"");
    return;
  }
  if (topics.is_null()) {
    diagnostics.error(topic.place(), "`topic` names fields, so `topics` must list what it may give",
                      "e.g. topics: [credit.legal, credit.natural]");
  }
  const std::size_t errors = diagnostics.errors();
  for (const runtime::Schema* input : declaration.inputs) {
    if (diagnostics.errors() == errors) {
      (void)runtime::TextTemplate::parse(topic, *input, diagnostics);
    }
  }
  std::vector<std::string> known;
  for (const Config& item : topics.is_list() ? topics.items() : std::vector<Config>{topics}) {
    if (!item.is_scalar()) continue;
    if (std::find(known.begin(), known.end(), item.text()) != known.end()) {
      diagnostics.error(item.place(), fmt::format("the topic '{}' is listed twice", item.text()),
                        "leave one of them out");
    }
    known.push_back(item.text());
  }
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

MessageLayout layout_of(const SinkDeclaration& declaration, Diagnostics& diagnostics) {
  const Config& config = declaration.config;
  MessageLayout layout;
  layout.topics = topics_of(config);
  layout.max_bytes = config["max_message_bytes"].as_size();
  layout.format = config.string_or("format", "json");
  const std::string delimiter = config.string_or("delimiter", ",");
  layout.delimiter = delimiter == "tab" ? '\t' : delimiter.empty() ? ',' : delimiter[0];
  const std::string nulls = config.string_or("nulls", "omit");
  layout.nulls = nulls == "null"      ? codecs::Nulls::kNull
                 : nulls == "default" ? codecs::Nulls::kDefault
                                      : codecs::Nulls::kOmit;
  layout.columns = codecs::parse_columns(config["fields"], declaration.inputs, diagnostics);
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

/// Produces into the backend's transaction, whose commit makes the records visible.
class KafkaSink final : public runtime::EpochSink {
 public:
  explicit KafkaSink(const SinkDeclaration& declaration)
      : topic_names_(topics_of(declaration.config)),
        bootstrap_(bootstrap_of(declaration)),
        has_key_(declaration.config.has("key")),
        max_bytes_(declaration.config["max_message_bytes"].as_size()) {
    settings_.compression = declaration.config.string_or("compression", "none");
  }

  Status open(const runtime::SinkContext& context) override {
    transaction_ = dynamic_cast<Transaction*>(context.transaction);
    if (transaction_ == nullptr) {
      return Status::invalid(fmt::format(
          "sink '{}' of type kafka needs `backend: {{type: kafka, ...}}`", context.node_name));
    }
    for (const std::string& name : topic_names_) {
      auto topic = transaction_->topic(name, settings_);
      if (!topic.is_ok()) return topic.status();
      topics_.push_back(*topic);
    }
    return check_limits(context.node_name);
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
      const auto topic = static_cast<std::size_t>(message.head.offset);
      HUILIU_CHECK(topic < topics_.size());
      Status status = transaction_->produce(topics_[topic], record);
      if (!status.is_ok()) return status;
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
  Status check_limits(const std::string& node) {
    if (transaction_->checked_sinks().contains(node)) return Status::ok();
    for (const std::string& name : topic_names_) {
      if (Status status = check_limit(name, node); !status.is_ok()) return status;
    }
    transaction_->checked_sinks().insert(node);
    return Status::ok();
  }

  /// Before the first record: the brokers refuse whole batches, which would end the run.
  Status check_limit(const std::string& topic, const std::string& node) {
    auto settings = topic_settings(transaction_->client(), topic);
    if (settings.status().code() == runtime::StatusCode::kNotFound) {
      spdlog::warn("sink {}: {}; a message that the topic does not take would end the run", node,
                   settings.status().message());
      return Status::ok();
    }
    if (!settings.is_ok()) return settings.status();
    if (Status status = learn_limits(topic, node, *settings); !status.is_ok()) return status;
    Status status = warn_of_missing_replicas(transaction_->client(), topic, *settings);
    if (!status.is_ok()) return status;
    const auto size = settings->find("max.message.bytes");
    if (size == settings->end()) return Status::ok();
    const std::uint64_t taken = std::strtoull(size->second.c_str(), nullptr, 10);
    const std::uint64_t batch = transaction_->batch_bytes();
    if (taken < max_bytes_) {
      return Status::invalid(
          fmt::format("sink '{}' writes messages of up to {} bytes, and topic {} takes {}: set "
                      "`max_message_bytes: {}`, or raise max.message.bytes of the topic",
                      node, max_bytes_, topic, taken, taken));
    }
    if (taken < batch) {
      return Status::invalid(fmt::format(
          "topic {} takes {} bytes at a time, and the sink '{}' sends batches of up to {}: set "
          "`batch.size: {}` in `settings` of the backend, or raise max.message.bytes of the topic",
          topic, taken, node, batch, taken));
    }
    if (taken > max_bytes_ && max_bytes_ == kDefaultMessageBytes) {
      spdlog::info(
          "topic {} takes messages of up to {} bytes, and the sink {} refuses what has "
          "more than {}; `max_message_bytes` changes that",
          topic, taken, node, max_bytes_);
    }
    return Status::ok();
  }

  /// What its encoders are to refuse.
  Status learn_limits(const std::string& topic, const std::string& node,
                      const TopicConfig& settings) {
    const auto setting = [&](const char* name) {
      const auto found = settings.find(name);
      return found == settings.end() ? std::string() : found->second;
    };
    const bool compacted = setting("cleanup.policy").find("compact") != std::string::npos;
    if (compacted && !has_key_) {
      return Status::invalid(fmt::format(
          "sink '{}' has no `key`, and topic {} is compacted: it takes no message without one. Set "
          "`key`, or cleanup.policy=delete of the topic",
          node, topic));
    }
    TopicLimits& limits = *limits_of(bootstrap_, topic);
    limits.needs_key = compacted;
    if (setting("message.timestamp.type") == "LogAppendTime") return Status::ok();
    const auto bound = [&](const char* name) -> std::int64_t {
      const std::string text = setting(name);
      return text.empty() ? TopicLimits::kUnbounded
                          : static_cast<std::int64_t>(std::strtoll(text.c_str(), nullptr, 10));
    };
    // Before Kafka 3.6 one setting was for both.
    const std::int64_t both = bound("message.timestamp.difference.max.ms");
    limits.before_ms = std::min(both, bound("message.timestamp.before.max.ms"));
    limits.after_ms = std::min(both, bound("message.timestamp.after.max.ms"));
    return Status::ok();
  }

  std::vector<std::string> topic_names_;
  std::string bootstrap_;
  bool has_key_;
  std::uint64_t max_bytes_;
  TopicSettings settings_;
  Transaction* transaction_ = nullptr;
  std::vector<rd_kafka_topic_t*> topics_;  // in the order of their names
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
      "`huiliu.origin` says where a record was read. With `delete_when` a record becomes a message "
      "without a value, which a compacted topic takes for the deletion of its key.\n\n"
      "A record that would be too large (`max_message_bytes`, code `E811_MESSAGE_TOO_LARGE`), "
      "whose topic is not among `topics` (`E812_TOPIC_UNKNOWN`), whose time is further from the "
      "clock than the topic takes (`message.timestamp.*`, `E814_MESSAGE_TIME`), or that has no key "
      "for a compacted topic (`E815_NO_KEY`), goes to `NAME.rejects`: the "
      "fields of the inputs, then those of a reject. Where nobody reads them, they go to the sink "
      "that the topology's `rejects` names; that sink's own are counted and logged.";
  d.options = {
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
  d.rejects = true;
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
    MessageLayout layout = layout_of(declaration, declaration.diagnostics);
    declaration.layout = written_form(layout);
    declaration.keep(std::move(layout));
    check_topics(declaration);
    check_names(declaration);
    check_not_read(declaration);
    check_message_bytes(declaration);
    check_deletions(declaration);
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
    MessageLayout layout = declaration.kept<MessageLayout>();
    layout.delete_when =
        codecs::DeleteWhen::of_input(declaration.config["delete_when"], *declaration.inputs[input]);
    const std::string bootstrap = bootstrap_of(declaration);
    for (const std::string& name : layout.topics) {
      layout.limits.push_back(limits_of(bootstrap, name));
    }
    const Config& topic = declaration.config["topic"];
    const runtime::Schema& schema = *declaration.inputs[input];
    if (names_fields(topic)) {
      layout.topic = runtime::TextTemplate::parse(topic, schema, declaration.diagnostics);
    }
    return make_message_encoder(layout, schema);
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<KafkaSink>(declaration);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::kafka
