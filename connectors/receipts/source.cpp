#include "codecs/receipts.h"
#include "connectors/receipts/receipts_decoder.h"
#include "connectors/receipts/receipts_reader.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::SourceDeclaration;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "receipts";
  d.kind = runtime::ComponentKind::kSource;
  d.summary = "What a receiver said of each record: read as `SINK.receipts`.";
  d.description =
      "A topology does not write this source. A node that reads `SINK.receipts`, or "
      "`SINK.rejects`, "
      "of a sink whose receiver answers for each record (`http`) makes it. Each record that was "
      "delivered comes once, with `receipt_time` (of the answer), `receipt_batch` and "
      "`receipt_index` (how the receiver knows it), `receipt_outcome` (`accepted` or `refused`), "
      "`receipt_code` and `receipt_message` (of one that was refused), `receipt_number` (the "
      "receiver's own, if it names one) and then its own fields as they were sent. The event time "
      "is `receipt_time`. Records that were refused are in `SINK.rejects` too, which goes to the "
      "sink that the topology's `rejects` names if no node reads it.\n\nReceipts are durable "
      "before "
      "the sink's position moves on, and read from there exactly once. A run whose input ends goes "
      "on until the last receipt is processed.";
  d.rejects = true;
  d.traits = {.replayable = true, .reason = "receipts lie in the intake until they are committed"};
  d.example = "";
  return d;
}

void declare(SourceDeclaration& declaration) {
  if (declaration.receipt_row == nullptr) {
    declaration.diagnostics.error(declaration.config["type"].place(),
                                  "`receipts` is no source that is written",
                                  "read the receipts of a sink by `input: SINK.receipts`");
    return;
  }
  declaration.output = codecs::receipt_schema(*declaration.receipt_row);
  declaration.event_time.field = 0;
}

runtime::SourceType type() {
  runtime::SourceType t;
  t.descriptor = descriptor();
  t.declare = declare;
  t.create_reader = [](const SourceDeclaration&) { return make_receipts_reader(); };
  t.create_decoder = make_receipts_decoder;
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
