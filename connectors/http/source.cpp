#include "codecs/files/file_decoder.h"
#include "connectors/http/http_options.h"
#include "connectors/http/http_reader.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::SourceDeclaration;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "http";
  d.kind = runtime::ComponentKind::kSource;
  d.summary = "Takes rows that departments send: JSON, NDJSON, CSV and workbooks.";
  d.description =
      "`POST /v1/batches` is answered with 202 and the batch's name when its rows are durable in "
      "the "
      "intake, which lies in the state folder, or with the Kafka backend in a topic; from there "
      "they are read like any other input. With "
      "an `Idempotency-Key` a request that is sent again gets the first answer, also over "
      "restarts. "
      "429 with Retry-After: what was sent before waits, or the sender's quota is used up; 503: "
      "the "
      "disk takes nothing, send it again; 413, 415, 401, 422 say what is wrong. `GET "
      "/v1/batches/NAME` says whether a batch is committed, and `GET /openapi.json` describes all "
      "this. Messages are in Chinese where Accept-Language asks for it.\n\nThe partition of a row "
      "is its sender. Rows that cannot be read go to `rejects` with the codes of the source "
      "`file`.";
  d.options = http_source_options();
  for (runtime::Option& option : runtime::event_time_options()) d.options.push_back(option);
  d.rejects = true;
  d.traits = {.replayable = true,
              .reason = "what was acknowledged lies in the intake until it is committed"};
  d.example =
      "type: http\nlisten: 127.0.0.1:8080\nfields:\n  - name\n  - {name: code, text_only: true}\n"
      "  - {name: amount, type: int64}\n";
  return d;
}

runtime::SourceType type() {
  runtime::SourceType t;
  t.descriptor = descriptor();
  t.declare = [](SourceDeclaration& declaration) {
    HttpOptions options = parse_http_options(declaration.config, declaration.diagnostics);
    declaration.output = options.rows.schema();
    declaration.event_time =
        parse_event_time(declaration.config, declaration.output, declaration.diagnostics);
    declaration.keep(std::move(options));
  };
  t.create_reader = [](const SourceDeclaration& declaration) {
    return make_http_reader(declaration.kept<HttpOptions>());
  };
  t.create_decoder = [](const SourceDeclaration& declaration,
                        const runtime::DecoderContext& context) {
    return codecs::make_file_decoder(declaration.kept<HttpOptions>().rows, context);
  };
  t.locate = [](const SourceDeclaration&, const std::string&, const runtime::Origin& origin) {
    const BatchRow place = BatchRow::of(origin.offset);
    return std::optional(
        runtime::RecordPlace{"batch " + std::to_string(place.batch), "", place.row});
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
