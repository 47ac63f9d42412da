#include <fmt/format.h>

#include "connectors/postgres/postgres_sink.h"
#include "connectors/postgres/record_encoder.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::OptionType;
using runtime::SinkDeclaration;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "postgres";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Writes rows to a table of a PostgreSQL database.";
  d.description =
      "Rows go through the outbox; each transaction also moves the position in it, which the table "
      "`huiliu_positions` of the same schema holds, so that delivering again changes nothing, and "
      "a process that somebody has gone on without is stopped. With a `key` rows are upserted and "
      "records that take back earlier ones (`change` is `delete`) delete the row with their key; "
      "without one rows are appended as they come. Types: string is text, int64 bigint, float64 "
      "double precision, bool boolean, timestamp timestamptz, date date, bytes bytea, json jsonb."
      "\n\n"
      "A server that is away is waited for, also at the start, while records wait in the outbox. "
      "What would be wrong for ever stops the topology with its remedy: password, database, "
      "rights, "
      "a column that is missing or of another type.\n\n"
      "What PostgreSQL does not store (text with a NUL byte or that is no UTF-8, JSON that jsonb "
      "does not take, a time out of range, a key beyond 2,600 bytes: `E816_NOT_STORABLE`), and a "
      "record whose key is null (`E815_NO_KEY`), goes to `NAME.rejects`: the fields of the inputs, "
      "then those of a reject.";
  d.options = ConnectionOptions::options();
  const std::vector<runtime::Option> own = {
      {.name = "table",
       .doc = "Name of the table: TABLE or SCHEMA.TABLE; the schema is `public` by default. Upper "
              "case counts.",
       .required = true},
      {.name = "key",
       .type = OptionType::kList,
       .doc = "Columns of the primary key, or of another unique index; a row with the same key "
              "replaces the older one.",
       .members = {{.name = "field"}}},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is stored: field names, or maps of `name` (column) and `field`. Default: all."},
      {.name = "create",
       .type = OptionType::kBool,
       .doc =
           "Whether to make the table and `huiliu_positions` if they are not there. A table that "
           "is there is never changed.",
       .default_text = "true"},
      {.name = "batch_rows",
       .type = OptionType::kInt,
       .doc = "The most rows of one statement.",
       .default_text = "10000",
       .minimum = 1,
       .maximum = 100'000},
      codecs::DeleteWhen::option()};
  d.options.insert(d.options.end(), own.begin(), own.end());
  d.options.push_back(runtime::outbox_option());
  d.rejects = true;
  d.traits = {.idempotent = true,
              .reason = "the position in the outbox is stored in the same transaction as the rows"};
  d.example =
      "type: postgres\ninput: accepted\nhost: localhost\ndatabase: licences\nuser: huiliu\ntable: "
      "public.licences\nkey: [id]\n";
  return d;
}

void declare(SinkDeclaration& declaration) {
  SinkOptions options;
  options.connection = ConnectionOptions::parse(declaration.config, declaration.diagnostics);
  options.layout =
      TableLayout::parse(declaration.config, declaration.inputs, declaration.diagnostics);
  options.create = declaration.config["create"].as_bool();
  options.batch_rows = static_cast<std::size_t>(declaration.config["batch_rows"].as_int());
  runtime::Schema all;
  for (const runtime::Schema* input : declaration.inputs) {
    for (const runtime::Field& field : input->fields()) all.add(field.name, field.type);
  }
  const runtime::Config& delete_when = declaration.config["delete_when"];
  codecs::DeleteWhen::parse(delete_when, all, declaration.diagnostics);
  if (!delete_when.is_null() && options.layout.key == 0) {
    declaration.diagnostics.error(delete_when.place(), "`delete_when` needs a `key`");
  }
  declaration.entries =
      fmt::format("postgres 1, key {}: {}", options.layout.key, options.layout.columns.to_string());
  declaration.keep(std::move(options));
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = declare;
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    const runtime::Schema& schema = *declaration.inputs[input];
    return make_record_encoder(
        declaration.kept<SinkOptions>().layout,
        codecs::DeleteWhen::of_input(declaration.config["delete_when"], schema), schema);
  };
  t.create_outbox_sink = [](const SinkDeclaration& declaration) {
    return make_postgres_sink(declaration.kept<SinkOptions>());
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::postgres
