#include "connectors/kafka/sink/kafka_sink.h"
#include "connectors/kafka/sink/message_encoder.h"
#include "connectors/kafka/sink/sink_options.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::kafka {
namespace {

using runtime::SinkDeclaration;

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
  d.options = sink_options();
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
    SinkSettings settings = parse_sink_options(declaration);
    declaration.layout = written_form(settings.layout);
    declaration.keep(std::move(settings));
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    return make_message_encoder(layout_of_input(declaration, input), *declaration.inputs[input]);
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return make_kafka_sink(declaration.kept<SinkSettings>());
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::kafka
