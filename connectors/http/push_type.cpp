#include "connectors/http/push_sink.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::SinkDeclaration;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "http";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Pushes rows in batches to a receiver: NDJSON or JSON by POST.";
  d.description =
      "Rows go through the outbox. A request is a batch with `X-Batch` (SEQUENCE.PART), "
      "`X-Batch-Rows`, `X-Batch-Hash` (sum of XXH3-64 of each row's bytes) and `Idempotency-Key`, "
      "which are the same whenever it is sent again, over crashes too: a receiver that knows its "
      "keys has every row exactly once. The position commits with the epochs, so that after a "
      "crash few batches come again.\n\n2xx, and 409 without Retry-After, mean taken; receipts of "
      "rows may be in the body. 400, 413 and 422 mean that something in the batch is refused: it "
      "is sent in halves, down to the row, which goes to `dead_letters` or `SINK.rejects`. What "
      "became of each row is the stream `SINK.receipts`. Everything else is sent again, with "
      "growing pauses; Retry-After is honoured. What a receiver has to do is in the "
      "guide [push by HTTP](../guides/push-by-http.md).\n\nTimestamps are written as "
      "milliseconds, dates as yyyy-mm-dd.";
  d.options = push_options();
  d.traits = {.idempotent = true,
              .reason =
                  "a batch that is sent again has the same Idempotency-Key and bytes, by "
                  "which the receiver knows it"};
  d.example =
      "type: http\ninput: accepted\nurl: https://platform.example/v1/batches\ntoken_file: "
      "token.txt\ndead_letters: out/dead.ndjson\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    PushOptions options = parse_push_options(declaration);
    declaration.entries = entries_of(options);
    declaration.keep(std::move(options));
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    const auto& options = declaration.kept<PushOptions>();
    return codecs::make_json_encoder(options.columns, *declaration.inputs[input], options.nulls);
  };
  t.receipt_row = [](const SinkDeclaration& declaration) {
    return sent_schema(declaration.kept<PushOptions>(), declaration);
  };
  t.create_outbox_sink = [](const SinkDeclaration& declaration) {
    return make_push_sink(declaration.kept<PushOptions>());
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
