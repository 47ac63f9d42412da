#include <regex>

#include <fmt/format.h>

#include "codecs/value_parsers.h"
#include "connectors/kafka/client/topics.h"
#include "connectors/kafka/source/kafka_reader.h"
#include "connectors/kafka/source/message_decoder.h"
#include "connectors/kafka/source/message_options.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::Config;
using runtime::Diagnostics;
using runtime::OptionType;
using runtime::SourceDeclaration;

void check_topics(const Config& topics, Diagnostics& diagnostics) {
  for (const std::string& topic : topics.as_strings()) {
    if (!topic.starts_with('^')) {
      if (is_topic_name(topic)) continue;
      diagnostics.error(topics.place(), fmt::format("'{}' cannot be the name of a topic", topic),
                        kTopicNameRule);
      continue;
    }
    try {
      const std::regex pattern(topic);
    } catch (const std::regex_error& error) {
      diagnostics.error(topics.place(),
                        fmt::format("'{}' is no regular expression: {}", topic, error.what()));
    }
  }
}

struct SourceSettings {
  MessageOptions messages;
  ReaderOptions reader;
};

ReaderOptions reader_options(const SourceDeclaration& declaration, Diagnostics& diagnostics) {
  const Config& config = declaration.config;
  ReaderOptions options;
  check_connection(config, declaration.backend, diagnostics);
  options.connection = connection_of(config, declaration.backend);
  options.topics = config["topic"].as_strings();
  check_topics(config["topic"], diagnostics);
  const std::string start = config.string_or("start", "committed");
  if (start == "earliest" || start == "latest" || start == "committed") {
    options.start = start == "earliest" ? StartAt::kEarliest
                    : start == "latest" ? StartAt::kLatest
                                        : StartAt::kCommitted;
  } else if (const auto time = codecs::parse_timestamp(start)) {
    options.start = StartAt::kTime;
    options.start_time_ms = *time;
  } else {
    diagnostics.error(config["start"].place(),
                      "`start` expects committed, earliest, latest, or a time such as "
                      "2026-01-31T08:00:00+08:00",
                      runtime::nearest_hint(start, {"committed", "earliest", "latest"}));
  }
  options.group = config.string_or("group", "");
  if (declaration.backend != nullptr && declaration.backend->is_map()) {
    options.backend_group = declaration.backend->string_or("group", "");
  }
  const std::string missing = config.string_or("on_missing", "fail");
  options.on_missing = missing == "earliest" ? OnMissing::kEarliest
                       : missing == "latest" ? OnMissing::kLatest
                                             : OnMissing::kFail;
  options.until_end = config.string_or("until", "forever") == "end";
  options.prefetch_bytes = config["prefetch"].as_size();
  options.discover_ms = config["discover"].as_duration().count();
  return options;
}

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "kafka";
  d.kind = runtime::ComponentKind::kSource;
  d.summary = "Reads topics of Kafka, committed messages only.";
  d.description =
      "Positions are committed with the epoch; after a crash reading goes on behind the last "
      "committed message. Partitions and, with a pattern, topics that come later are noticed and "
      "read from their beginning. Messages that cannot be read go to `rejects` with their "
      "position: "
      "E801_BAD_JSON, E802_BAD_CSV, E803_BAD_ENCODING, E806_BAD_FLATBUFFER, E807_NO_VALUE, "
      "E816_BAD_HEADERS (where a field is of a header), "
      "E201_FORMAT (a value that does not fit its field).";
  d.options = {
      {.name = "topic",
       .type = OptionType::kList,
       .doc = "Topics. With ^ in front: a regular expression that names match.",
       .required = true,
       .members = {{.name = "name"}}},
      {.name = "start",
       .doc = "Where a topology that has not run before starts: `committed` (offsets of "
              "`group`, else the earliest), `earliest`, `latest` or a time.",
       .default_text = "committed"},
      {.name = "group",
       .doc = "Consumer group whose committed offsets `start: committed` takes over."},
      {.name = "on_missing",
       .type = OptionType::kEnum,
       .doc = "What to do when the next message is not there any more, because it was "
              "deleted, or the topic was recreated: fail, or go on at an end.",
       .default_text = "fail",
       .choices = {"fail", "earliest", "latest"}},
      {.name = "until",
       .type = OptionType::kEnum,
       .doc = "end: the input ends with the messages that are there at the start.",
       .default_text = "forever",
       .choices = {"forever", "end"}},
      {.name = "prefetch",
       .type = OptionType::kSize,
       .doc = "Memory for messages that are fetched ahead. When it is full, librdkafka "
              "before 2.2 fetches nothing for a second: give it more than a second's data.",
       .default_text = "128MiB"},
      {.name = "discover",
       .type = OptionType::kDuration,
       .doc = "How often new partitions and topics are looked for.",
       .default_text = "10s"}};
  for (const auto& options : {message_options(),
                              runtime::event_time_options(),
                              {runtime::alignment_option()},
                              connection_options(false)}) {
    d.options.insert(d.options.end(), options.begin(), options.end());
  }
  d.rejects = true;
  d.traits = {.replayable = true,
              .reason = "offsets are committed with the epoch, and messages can be read again",
              .shareable = true};
  d.example =
      "type: kafka\nbootstrap: broker-1:9092\ntopic: licences\nformat: json\nfields:\n"
      "  - id\n  - {name: amount, type: int64}\n  - {name: sent_at, from: timestamp}\n";
  return d;
}

runtime::SourceType type() {
  runtime::SourceType t;
  t.descriptor = descriptor();
  t.declare = [](SourceDeclaration& declaration) {
    SourceSettings settings{parse_message_options(declaration.config, declaration.diagnostics),
                            reader_options(declaration, declaration.diagnostics)};
    const MessageOptions& options = settings.messages;
    for (const MessageField& field : options.fields) {
      settings.reader.headers = settings.reader.headers || field.part == MessagePart::kHeader;
    }
    declaration.output = options.schema();
    declaration.event_time =
        parse_event_time(declaration.config, declaration.output, declaration.diagnostics);
    declaration.keep(std::move(settings));
  };
  t.create_reader = [](const SourceDeclaration& declaration) {
    return make_kafka_reader(declaration.kept<SourceSettings>().reader);
  };
  t.create_decoder = [](const SourceDeclaration& declaration,
                        const runtime::DecoderContext& context) {
    return make_message_decoder(declaration.kept<SourceSettings>().messages, context);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::kafka
