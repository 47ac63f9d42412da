#include "codecs/files/file_decoder.h"
#include "connectors/file/file_reader.h"
#include "connectors/file/file_rereader.h"
#include "connectors/file/row_place.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::SourceDeclaration;

const codecs::FileOptions& options_of(const SourceDeclaration& declaration) {
  return declaration.kept<codecs::FileOptions>();
}

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "file";
  d.kind = runtime::ComponentKind::kSource;
  d.summary = "Reads NDJSON, CSV and XLSX files: one file, a folder or a glob.";
  d.description =
      "Files are read in the order of their paths, each once: a file is known by its content, so "
      "one that was renamed or delivered again is recognised and not read again. After a crash, "
      "reading goes on at the committed row.\n\nCSV files have a header row; in a workbook the "
      "first row with known headings is the header. Empty cells are null. Rows that cannot be read "
      "go to `rejects`: E801_BAD_JSON, E802_BAD_CSV, E803_BAD_ENCODING, E804_TOO_LONG, "
      "E805_BAD_FILE (the rest of the file), E201_FORMAT (a value that does not fit its type) and "
      "E207_CODE_AS_NUMBER.";
  d.options = codecs::file_source_options();
  for (runtime::Option& option : runtime::event_time_options()) d.options.push_back(option);
  d.rejects = true;
  d.traits = {.replayable = true,
              .reason = "files are read again from the committed row; they are known by content"};
  d.example =
      "type: file\npath: incoming\npattern: [\"*.csv\", \"*.xlsx\"]\nfields:\n  - name\n"
      "  - {name: code, text_only: true}\n  - {name: amount, type: int64}\n";
  return d;
}

runtime::SourceType type() {
  runtime::SourceType t;
  t.descriptor = descriptor();
  t.declare = [](SourceDeclaration& declaration) {
    codecs::FileOptions options =
        codecs::parse_file_options(declaration.config, declaration.diagnostics);
    declaration.output = options.schema();
    declaration.event_time =
        parse_event_time(declaration.config, declaration.output, declaration.diagnostics);
    declaration.keep(std::move(options));
  };
  t.create_reader = [](const SourceDeclaration& declaration) {
    return make_file_reader(options_of(declaration));
  };
  t.create_rereader = [](const SourceDeclaration& declaration) {
    return make_file_rereader(options_of(declaration));
  };
  t.create_decoder = [](const SourceDeclaration& declaration,
                        const runtime::DecoderContext& context) {
    return codecs::make_file_decoder(options_of(declaration), context);
  };
  t.locate = [](const SourceDeclaration& declaration, const std::string& base_folder,
                const runtime::Origin& origin) {
    return find_row_place(options_of(declaration), base_folder, *origin.partition, origin.offset);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
