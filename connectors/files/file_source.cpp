#include <fmt/format.h>
#include <fnmatch.h>

#include "connectors/files/file_input.h"
#include "connectors/files/file_reader.h"
#include "connectors/files/json_decoder.h"
#include "runtime/registry.h"

namespace huiliu::connectors::files {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;
using runtime::SourceDeclaration;

const Mapping& FileSourceOptions::mapping_for(const std::string& file_name) const {
  for (const Mapping& mapping : mappings) {
    if (::fnmatch(mapping.match.c_str(), file_name.c_str(), 0) == 0) return mapping;
  }
  return mappings.back();  // the last one takes columns as fields
}

namespace {

std::vector<std::string> field_names(const FileSourceOptions& options) {
  std::vector<std::string> names;
  for (const InputField& field : options.fields) names.push_back(field.name);
  return names;
}

std::size_t find_field(const FileSourceOptions& options, const std::string& name,
                       const runtime::Place& place, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < options.fields.size(); ++i) {
    if (options.fields[i].name == name) return i;
  }
  diagnostics.error(place, fmt::format("the source has no field '{}'", name),
                    runtime::nearest_hint(name, field_names(options)));
  return 0;
}

void read_fields(const Config& list, FileSourceOptions& options, Diagnostics& diagnostics) {
  for (const Config& item : list.items()) {
    InputField field;
    field.name = item.is_scalar() ? item.text() : item.string_or("name", "");
    const std::string type = item.is_map() ? item.string_or("type", "string") : "string";
    const auto parsed = runtime::parse_type(type);
    if (!parsed) {
      diagnostics.error(item["type"].place(), fmt::format("there is no type '{}'", type),
                        runtime::nearest_hint(type, runtime::type_names()));
    }
    if (field.name.empty()) diagnostics.error(item.place(), "a field needs a name");
    for (const InputField& other : options.fields) {
      if (other.name == field.name) {
        diagnostics.error(item.place(), fmt::format("the field '{}' is there twice", field.name));
      }
    }
    field.type = parsed.value_or(runtime::Type::kString);
    field.text_only = item.is_map() && item.bool_or("text_only", false);
    options.fields.push_back(std::move(field));
  }
}

void read_mapping(const Config& node, FileSourceOptions& options, Diagnostics& diagnostics) {
  Mapping mapping;
  mapping.match = node.string_or("match", "*");
  for (const auto& [column, field] : node["columns"].entries()) {
    mapping.columns.emplace_back(column,
                                 find_field(options, field.text(), field.place(), diagnostics));
  }
  for (const auto& [field, value] : node["set"].entries()) {
    mapping.constants.emplace_back(
        find_field(options, field, node["set"].key_place(field), diagnostics), value.text());
  }
  if (node["columns"].is_null()) {
    for (std::size_t i = 0; i < options.fields.size(); ++i) {
      mapping.columns.emplace_back(options.fields[i].name, i);
    }
  }
  options.mappings.push_back(std::move(mapping));
}

runtime::Descriptor descriptor() {
  const Option field_name{.name = "name", .doc = "Name of the field.", .required = true};
  runtime::Descriptor d;
  d.name = "file";
  d.summary = "Reads NDJSON, CSV and XLSX files, each once, in the order of their paths.";
  d.description =
      "A file is recognised by its content when it is delivered again, also under another name. "
      "Encoding (UTF-8, GB18030) and format are detected unless given. Every row becomes a record "
      "or "
      "a reject with its row number. With `watch` new files are taken as they come; otherwise the "
      "source ends after the last file.";
  d.options = {
      {.name = "path",
       .type = OptionType::kList,
       .doc = "Files, folders or globs.",
       .required = true,
       .members = {{.name = "", .type = OptionType::kPath}}},
      {.name = "pattern",
       .type = OptionType::kList,
       .doc = "Globs for the names of files within folders; default all known endings.",
       .members = {{.name = ""}}},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "Format of the files; auto goes by the ending.",
       .default_text = "auto",
       .choices = {"auto", "ndjson", "csv", "xlsx"}},
      {.name = "encoding",
       .type = OptionType::kEnum,
       .doc = "Encoding of text files.",
       .default_text = "auto",
       .choices = {"auto", "utf-8", "gb18030"}},
      {.name = "delimiter", .doc = "Delimiter of CSV cells.", .default_text = ","},
      {.name = "sheet", .doc = "Name of the sheet; default the first."},
      {.name = "fields",
       .type = OptionType::kList,
       .doc = "Fields of the records.",
       .required = true,
       .members = {{.name = "",
                    .type = OptionType::kAny,
                    .doc = "A name, or {name, type, text_only}."}}},
      {.name = "mappings",
       .type = OptionType::kList,
       .doc = "How columns of files become fields, by the file's name; default by equal names.",
       .members = {{.name = "",
                    .type = OptionType::kObject,
                    .members = {{.name = "match", .doc = "Glob on the file's name."},
                                {.name = "set",
                                 .type = OptionType::kMap,
                                 .doc = "Field → constant.",
                                 .members = {{.name = ""}}},
                                {.name = "columns",
                                 .type = OptionType::kMap,
                                 .doc = "Column → field; several columns may go to one field.",
                                 .members = {{.name = ""}}}}}}},
      {.name = "event_time", .doc = "int64 field with the event time in ms."},
      {.name = "lateness",
       .type = OptionType::kDuration,
       .doc = "How much later than the latest event time a record may come.",
       .default_text = "0s"},
      {.name = "watch",
       .type = OptionType::kBool,
       .doc = "Wait for new files instead of ending.",
       .default_text = "false"},
      {.name = "poll",
       .type = OptionType::kDuration,
       .doc = "Time between looks at the folder.",
       .default_text = "1s"},
      {.name = "max_row_bytes",
       .type = OptionType::kSize,
       .doc = "Longer rows are rejected.",
       .default_text = "1MiB"}};
  d.rejects = true;
  d.traits = {.replayable = true, .reason = "files are read again from the committed position"};
  d.example =
      "type: file\npath: input\npattern: ['*.ndjson']\nfields: [id, {name: ts, type: int64}]\n";
  return d;
}

void declare(SourceDeclaration& declaration) {
  const FileSourceOptions options = read_options(declaration.config, declaration.diagnostics);
  for (const InputField& field : options.fields) declaration.output.add(field.name, field.type);
  const Config& time = declaration.config["event_time"];
  if (time.is_null()) return;
  const std::size_t index = find_field(options, time.text(), time.place(), declaration.diagnostics);
  declaration.event_time_field = static_cast<int>(index);
  declaration.lateness_ms = declaration.config["lateness"].as_duration().count();
}

const runtime::Registration registration([] {
  runtime::SourceType type;
  type.descriptor = descriptor();
  type.declare = declare;
  type.create_reader = [](const SourceDeclaration& declaration) {
    Diagnostics ignored;  // declare() has reported them
    return make_file_reader(read_options(declaration.config, ignored));
  };
  type.create_decoder = [](const SourceDeclaration& declaration,
                           const runtime::DecoderContext& context) {
    Diagnostics ignored;
    return make_file_decoder(read_options(declaration.config, ignored), context);
  };
  return type;
}());

}  // namespace

FileSourceOptions read_options(const Config& config, Diagnostics& diagnostics) {
  FileSourceOptions options;
  options.paths = config["path"].as_strings();
  options.patterns = config["pattern"].as_strings();
  options.format = config["format"].text();
  options.encoding = config["encoding"].text();
  const std::string delimiter = config["delimiter"].text();
  if (delimiter.size() != 1) {
    diagnostics.error(config["delimiter"].place(), "'delimiter' expects one character");
  } else {
    options.delimiter = delimiter[0];
  }
  options.sheet = config.string_or("sheet", "");
  options.watch = config["watch"].as_bool();
  options.poll_ms = config["poll"].as_duration().count();
  options.max_row_bytes = config["max_row_bytes"].as_size();
  read_fields(config["fields"], options, diagnostics);
  for (const Config& node : config["mappings"].items()) read_mapping(node, options, diagnostics);
  read_mapping(Config::map({}), options, diagnostics);
  return options;
}

}  // namespace huiliu::connectors::files
