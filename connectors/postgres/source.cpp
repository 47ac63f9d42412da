#include "connectors/postgres/table_reader.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::postgres {
namespace {

using runtime::SourceDeclaration;

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "postgres";
  d.kind = runtime::ComponentKind::kSource;
  d.summary = "Reads what is new in a table of a PostgreSQL database, again and again.";
  d.description =
      "A pass reads in pages of `page_rows`, each a short transaction, and waits `interval` before "
      "the next. What was given is part of the committed position, so that each version of a row "
      "comes once, over crashes too.\n\n"
      "`increment` reads rows whose `column` lies behind the greatest value seen, less `overlap`, "
      "so a transaction that commits later than others is found if it takes less than that. "
      "`flag` gives rows with the value `unread` and sets `read` when they are committed, unless "
      "they have changed meanwhile. `snapshot` reads the whole table and gives what has changed "
      "since the pass before, which is for tables that are emptied and loaded each night.\n\n"
      "A server that is away is waited for. A table that is missing, or has lost a column or a "
      "right, is an error at the start; later the source waits, `/readyz` says why, the others go "
      "on, and it goes on itself when the table is mended. Rows without key or `column` are never "
      "read, and are counted in what the source says it leaves out. Times without a zone are those "
      "of China. Values that do not fit the field's type go to `rejects` (`E201_FORMAT`).";
  d.options = table_source_options();
  for (runtime::Option& option : runtime::event_time_options()) d.options.push_back(option);
  d.rejects = true;
  d.traits = {.replayable = true,
              .reason = "what was given is committed with the epoch; what was not is still there"};
  d.example =
      "type: postgres\nhost: localhost\ndatabase: front\nuser: huiliu\ntable: exchange.penalties\n"
      "fields: [number, party, {name: amount, type: float64}, {name: updated_at, type: "
      "timestamp}]\nkey: [number]\nmode: increment\ncolumn: updated_at\noverlap: 10m\n";
  return d;
}

// For whoever keeps rows as they come.
void add_change_field(const TableSourceOptions& options, SourceDeclaration& declaration) {
  declaration.changing_outputs = {""};
  if (options.columns.index_of(runtime::kChangeField)) {
    declaration.diagnostics.error(
        declaration.config["fields"].place(),
        "with `deletes` the source has a field 'change' that says what a record does",
        "leave the column out, or read a view that names it otherwise");
  }
  declaration.output.add(runtime::kChangeField, runtime::Type::kString);
}

runtime::SourceType type() {
  runtime::SourceType t;
  t.descriptor = descriptor();
  t.declare = [](SourceDeclaration& declaration) {
    TableSourceOptions options = parse_table_source(declaration);
    declaration.output = options.columns;
    if (options.deletes) add_change_field(options, declaration);
    declaration.event_time =
        parse_event_time(declaration.config, declaration.output, declaration.diagnostics);
    declaration.keep(std::move(options));
  };
  t.create_reader = [](const SourceDeclaration& declaration) {
    return make_table_reader(declaration.kept<TableSourceOptions>());
  };
  t.create_decoder = [](const SourceDeclaration& declaration,
                        const runtime::DecoderContext& context) {
    return make_table_decoder(declaration.kept<TableSourceOptions>(), context);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors::postgres
