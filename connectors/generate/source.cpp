#include "connectors/generate/generate_reader.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::SourceDeclaration;

/// Times that are made are never wrong, however far ahead of the clock they lie.
constexpr std::int64_t kAnyTimeAheadMs = 1'000LL * 366 * 86'400'000;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "generate";
  d.kind = runtime::ComponentKind::kSource;
  d.summary = "Makes rows: to try a topology, or to load it, without files and brokers.";
  d.description =
      "Each row follows from its number and the `seed`, so after a restart the rest comes as it "
      "would have come. The number of rows given is committed with each epoch. Where `fields` are "
      "changed, the rows that follow are made anew and the count goes on.\n\nFor event time, name "
      "a field that is a `sequence` of `type: timestamp`; its `disorder` puts rows out of order.";
  d.options = generate_source_options();
  for (runtime::Option& option : runtime::event_time_options()) {
    if (option.name != "ahead") d.options.push_back(option);
  }
  d.traits = {.replayable = true, .reason = "a row follows from its number, which is committed"};
  d.example =
      "type: generate\nrate: 1000/s\ncount: 100000\nfields:\n"
      "  - {name: id, sequence: {from: 1}, pattern: \"P{:06}\"}\n"
      "  - {name: at, type: timestamp, sequence: {from: 2026-01-01, step: 10ms, disorder: 5s}}\n"
      "  - {name: dept, choice: {market: 3, traffic: 1}}\n"
      "  - {name: party, zipf: {keys: 1000, exponent: 1.1}}\n"
      "  - {name: amount, uniform: {from: 1, to: 500}}\n"
      "event_time: at\nout_of_orderness: 5s\n";
  return d;
}

runtime::SourceType type() {
  runtime::SourceType t;
  t.descriptor = descriptor();
  t.declare = [](SourceDeclaration& declaration) {
    GenerateOptions options = parse_generate_options(declaration.config, declaration.diagnostics);
    declaration.output = options.schema();
    declaration.event_time =
        parse_event_time(declaration.config, declaration.output, declaration.diagnostics);
    declaration.event_time.ahead_ms = kAnyTimeAheadMs;
    declaration.keep(std::move(options));
  };
  t.create_reader = [](const SourceDeclaration& declaration) {
    return make_generate_reader(declaration.kept<GenerateOptions>());
  };
  t.create_decoder = [](const SourceDeclaration& declaration,
                        const runtime::DecoderContext& context) {
    return make_generate_decoder(declaration.kept<GenerateOptions>(), context);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
