#include "codecs/files/file_options.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fnmatch.h>
#include <spdlog/spdlog.h>

#include "codecs/value_parsers.h"
#include "runtime/component/descriptor.h"

namespace huiliu::codecs {

using runtime::Config;
using runtime::Diagnostics;
using runtime::Option;
using runtime::OptionType;
using runtime::Type;

namespace {

const std::vector<Option>& field_options() {
  static const std::vector<Option> options = {
      {.name = "name", .type = OptionType::kString, .doc = "Name of the field.", .required = true},
      {.name = "type",
       .type = OptionType::kEnum,
       .doc = "Type of the field.",
       .default_text = "string",
       .choices = {"string", "int64", "float64", "bool", "timestamp", "json"}},
      {.name = "text_only",
       .type = OptionType::kBool,
       .doc = "Refuse number cells.",
       .default_text = "false"},
      {.name = "required_column",
       .type = OptionType::kBool,
       .doc = "Refuse a table without this column.",
       .default_text = "false"},
      {.name = "default", .type = OptionType::kString, .doc = "Value for null."}};
  return options;
}

const std::vector<Option>& mapping_options() {
  static const std::vector<Option> options = {
      {.name = "match",
       .type = OptionType::kString,
       .doc = "Glob on the file's name.",
       .default_text = "*"},
      {.name = "set",
       .type = OptionType::kMap,
       .doc = "Constants: field → text.",
       .members = {{.name = "value", .type = OptionType::kString}}},
      {.name = "columns",
       .type = OptionType::kMap,
       .doc = "Heading in the file → field.",
       .members = {{.name = "field", .type = OptionType::kString}}},
      {.name = "required",
       .type = OptionType::kList,
       .doc = "Fields whose column a table must have.",
       .members = {{.name = "field", .type = OptionType::kString}}}};
  return options;
}

std::vector<const Config*> items_of(const Config& config) {
  std::vector<const Config*> items;
  if (config.is_list()) {
    for (const Config& item : config.items()) items.push_back(&item);
  } else if (!config.is_null()) {
    items.push_back(&config);
  }
  return items;
}

void parse_field(const Config& item, FileOptions& options, Diagnostics& diagnostics) {
  FileField field;
  if (item.is_scalar()) {
    field.name = item.text();
  } else {
    const std::size_t before = diagnostics.errors();
    runtime::check_config(item, field_options(), {}, diagnostics);
    if (!item.is_map() || diagnostics.errors() != before) return;
    field.name = item["name"].text();
    field.type = runtime::parse_type(item.string_or("type", "string")).value_or(Type::kString);
    field.text_only = item.bool_or("text_only", false);
    field.required_column = item.bool_or("required_column", false);
    if (item.has("default")) field.absent = item["default"].text();
    if (field.absent && !codecs::parse_cell(field.type, *field.absent)) {
      diagnostics.error(item["default"].place(),
                        fmt::format("'{}' is no {}", *field.absent, item.string_or("type", "")));
    }
  }
  if (options.schema().index_of(field.name)) {
    diagnostics.error(item.place(), "field '" + field.name + "' is named twice");
    return;
  }
  options.fields.push_back(std::move(field));
}

std::vector<std::string> names_of(const FileOptions& options) {
  std::vector<std::string> names;
  for (const FileField& field : options.fields) names.push_back(field.name);
  return names;
}

std::optional<std::size_t> known_field(const Config& at, const std::string& name,
                                       const FileOptions& options, Diagnostics& diagnostics) {
  const auto index = options.schema().index_of(name);
  if (!index) {
    diagnostics.error(at.place(), "there is no field '" + name + "'",
                      runtime::nearest_hint(name, names_of(options)));
  }
  return index;
}

void parse_mapping(const Config& item, FileOptions& options, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.errors();
  if (!item.is_map()) {
    diagnostics.error(item.place(), "expected a map of match, set, columns");
    return;
  }
  runtime::check_config(item, mapping_options(), {}, diagnostics);
  if (diagnostics.errors() != before) return;
  FileMapping mapping;
  mapping.match = item.string_or("match", "*");
  if (item["set"].is_map()) {
    for (const auto& [name, value] : item["set"].entries()) {
      const auto field = known_field(value, name, options, diagnostics);
      if (!field) continue;
      if (!codecs::parse_cell(options.fields[*field].type, value.text())) {
        diagnostics.error(value.place(), "the value does not fit the type of '" + name + "'");
      }
      mapping.set.emplace_back(*field, value.text());
    }
  }
  if (item["columns"].is_map()) {
    for (const auto& [heading, name] : item["columns"].entries()) {
      const auto field = known_field(name, name.text(), options, diagnostics);
      if (field) mapping.columns.emplace_back(heading, *field);
    }
  }
  for (const Config* name : items_of(item["required"])) {
    const auto field = known_field(*name, name->text(), options, diagnostics);
    if (field) mapping.required.push_back(*field);
  }
  options.mappings.push_back(std::move(mapping));
}

/// One byte that can stand between cells in UTF-8 and in GB18030, where bytes from 0x30 on are
/// also halves of characters.
char parse_delimiter(const Config& config, Diagnostics& diagnostics) {
  const std::string text = config.string_or("delimiter", ",");
  if (text == "tab" || text == "\\t" || text == "\t") return '\t';
  const auto byte = static_cast<unsigned char>(text.empty() ? 0 : text.front());
  const bool sign = (byte > 0x20 && byte < 0x30) || (byte > 0x39 && byte < 0x41) ||
                    (byte > 0x5A && byte < 0x61) || (byte > 0x7A && byte < 0x7F);
  if (text.size() == 1 && sign && byte != '"') return text.front();
  if (text == " ") return ' ';
  diagnostics.error(config["delimiter"].place(),
                    fmt::format("the delimiter must be one ASCII sign, no letter, digit or \", or "
                                "`tab`; it is '{}'",
                                text));
  return ',';
}

/// Options that say when a file is complete, and would have no effect beside others.
void check_completeness(const Config& config, const FileOptions& options,
                        Diagnostics& diagnostics) {
  if (config.has("last_line") && (!options.watch || options.append)) {
    diagnostics.error(config.key_place("last_line"),
                      "`last_line` goes with `watch: true` and without `append`");
  }
  if (!options.append) return;
  if (config.has("marker")) {
    diagnostics.error(config.key_place("marker"),
                      "`append` and `marker` exclude each other: a file with a marker is complete");
  }
  if (options.format == FileFormat::kXlsx) {
    diagnostics.error(config.key_place("append"), "a workbook cannot be appended to",
                      "leave `append` out");
  }
}

}  // namespace

runtime::Schema FileOptions::schema() const {
  runtime::Schema schema;
  for (const FileField& field : fields) schema.add(field.name, field.type);
  return schema;
}

FileOptions parse_file_options(const Config& config, Diagnostics& diagnostics) {
  FileOptions options;
  if (config.has("path")) options.path = config["path"].as_string();  // the rows may lie elsewhere
  if (config.has("pattern")) options.patterns = config["pattern"].as_strings();
  const std::string format = config.string_or("format", "auto");
  options.format = format == "ndjson" ? FileFormat::kNdjson
                   : format == "csv"  ? FileFormat::kCsv
                   : format == "xlsx" ? FileFormat::kXlsx
                                      : FileFormat::kAuto;
  const std::string encoding = config.string_or("encoding", "auto");
  if (encoding == "utf-8") options.encoding = formats::Encoding::kUtf8;
  if (encoding == "gb18030") options.encoding = formats::Encoding::kGb18030;
  options.delimiter = parse_delimiter(config, diagnostics);
  options.delimiter_set = config.has("delimiter");
  options.sheet = config.string_or("sheet", "");
  for (const Config* item : items_of(config["fields"])) parse_field(*item, options, diagnostics);
  if (options.fields.empty() && !diagnostics.has_errors()) {
    diagnostics.error(config.place(), "`fields` names no field");
  }
  for (const Config* item : items_of(config["mappings"])) {
    parse_mapping(*item, options, diagnostics);
  }
  const auto duration = [&](const char* key, std::int64_t fallback) {
    return config.has(key) ? config[key].as_duration().count() : fallback;
  };
  options.watch = config.bool_or("watch", false);
  options.poll_ms = duration("poll", 1000);
  options.wait_ms = duration("wait", 0);
  options.last_line_ms = duration("last_line", options.last_line_ms);
  if (config.has("ignore")) options.ignored = config["ignore"].as_strings();
  if (config.string_or("unclaimed", "log") == "reject") options.unclaimed = Unclaimed::kReject;
  options.marker = config.string_or("marker", "");
  options.append = config.bool_or("append", false);
  check_completeness(config, options, diagnostics);
  if (config.has("max_row_bytes")) options.max_row_bytes = config["max_row_bytes"].as_size();
  options.max_depth = static_cast<int>(config.int_or("max_depth", 64));
  if (config["codes"].is_map()) {
    for (const auto& [code, name] : config["codes"].entries()) {
      options.codes.emplace_back(code, name.text());
    }
  }
  return options;
}

std::vector<Option> file_source_options() {
  return {
      {.name = "path",
       .type = OptionType::kPath,
       .doc = "A file, a folder or a glob.",
       .required = true},
      {.name = "pattern",
       .type = OptionType::kList,
       .doc =
           "Globs on the names of a folder's files; with a slash, on the path within the folder.",
       .members = {{.name = "glob", .type = OptionType::kString}}},
      {.name = "ignore",
       .type = OptionType::kList,
       .doc = "Globs, as in `pattern`, of files that are left out without a word.",
       .members = {{.name = "glob", .type = OptionType::kString}}},
      {.name = "unclaimed",
       .type = OptionType::kEnum,
       .doc = "What becomes of a file of the folder that no `pattern` fits: said in the log, or a "
              "reject (E810_UNCLAIMED_FILE) as well.",
       .default_text = "log",
       .choices = {"log", "reject"}},
      {.name = "marker",
       .type = OptionType::kString,
       .doc = "Ending of a marker: x.csv is complete, and read, when there is x.csv.ok."},
      {.name = "append",
       .type = OptionType::kBool,
       .doc = "Files are appended to, as logs are: new whole lines are read, also after the file "
              "was renamed or copied and begun anew. Otherwise a file is complete when it is read.",
       .default_text = "false"},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "auto goes by the content (workbooks, XML, JSON arrays), then by the file's name; "
              "xlsx stands for .xls as well.",
       .default_text = "auto",
       .choices = {"auto", "ndjson", "csv", "xlsx"}},
      {.name = "encoding",
       .type = OptionType::kEnum,
       .doc = "auto goes by the first 64 KiB, and reads later rows that are plainly in the "
              "other. A byte order mark (UTF-8, UTF-16) goes before this option.",
       .default_text = "auto",
       .choices = {"auto", "utf-8", "gb18030"}},
      {.name = "delimiter",
       .type = OptionType::kString,
       .doc = "CSV: the ASCII sign between cells, or `tab`. Where it is not set, a file whose "
              "headings are known only by ;, tab or | is read by that; others by the comma."},
      {.name = "sheet",
       .type = OptionType::kString,
       .doc = "XLSX: name; default: every visible one with known headings."},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "The stream's fields: names (text), or maps with `name`, `type` (string, int64, "
              "float64, bool, timestamp, json), `text_only` (a spreadsheet's number cell is "
              "refused as E207_CODE_AS_NUMBER), `required_column` (a table without the column is "
              "refused as a whole) and `default` (for null).",
       .required = true},
      {.name = "mappings",
       .type = OptionType::kAny,
       .doc = "How headings become fields where names differ. A list of maps: `match` (glob on the "
              "file's name; the first that matches holds), `set` (field → constant), `columns` "
              "(heading → field; several headings may name one field), `required` (fields whose "
              "column a table must have). Fields' own names always count as headings. Headings "
              "are compared without blanks, line breaks, invisible marks and *, in half width."},
      {.name = "watch",
       .type = OptionType::kBool,
       .doc = "Go on looking for new files; otherwise the input ends with the last one.",
       .default_text = "false"},
      {.name = "poll",
       .type = OptionType::kDuration,
       .doc = "watch: how often to look, and how long a file must be unchanged before it is read.",
       .default_text = "1s"},
      {.name = "last_line",
       .type = OptionType::kDuration,
       .doc = "watch: how long a file that does not end with a line end must be unchanged before "
              "it is read: its last line may be half written. Default: 10s."},
      {.name = "wait",
       .type = OptionType::kDuration,
       .doc = "How long to wait for a path that does not exist.",
       .default_text = "0s"},
      {.name = "max_row_bytes",
       .type = OptionType::kSize,
       .doc = "Longer rows are refused.",
       .default_text = "1MiB"},
      {.name = "codes",
       .type = OptionType::kMap,
       .doc = "Other names for reject codes, e.g. E801_BAD_JSON: bad_json.",
       .members = {{.name = "name", .type = OptionType::kString}}},
      {.name = "max_depth",
       .type = OptionType::kInt,
       .doc = "NDJSON: deepest nesting.",
       .default_text = "64",
       .minimum = 1,
       .maximum = 1024}};
}

std::string problem_bytes(std::string_view code, const FileProblem& problem) {
  std::string bytes(code);
  bytes.append(1, '\0').append(problem.en).append(1, '\0').append(problem.zh);
  return bytes;
}

const FileMapping* mapping_of(const FileOptions& options, const std::string& file) {
  const std::string name = std::filesystem::path(file).filename().string();
  for (const FileMapping& mapping : options.mappings) {
    if (::fnmatch(mapping.match.c_str(), name.c_str(), FNM_CASEFOLD) == 0) return &mapping;
  }
  return nullptr;
}

std::shared_ptr<FileLayout> make_layout(const FileOptions& options, const std::string& file) {
  auto layout = std::make_shared<FileLayout>();
  layout->file = file;
  layout->delimiter = options.delimiter;
  if (const FileMapping* mapping = mapping_of(options, file)) {
    layout->set = mapping->set;
    layout->required = mapping->required;
    for (const auto& [heading, field] : mapping->columns) {
      layout->keys.add(heading, static_cast<int>(field));
    }
  }
  for (std::size_t i = 0; i < options.fields.size(); ++i) {
    layout->keys.add(options.fields[i].name, static_cast<int>(i));
    const auto constant = [i](const auto& set) { return set.first == i; };
    if (options.fields[i].required_column &&
        std::none_of(layout->set.begin(), layout->set.end(), constant)) {
      layout->required.push_back(i);
    }
  }
  layout->fold_keys();
  return layout;
}

void FileLayout::warn_unknown(const std::string& heading, const FileOptions& options) const {
  if (warned.test_and_set()) return;
  const std::string hint = runtime::nearest_hint(heading, names_of(options));
  spdlog::warn("{}: key that nothing reads: {}{}", file, heading,
               hint.empty() ? "" : " (" + hint + ")");
}

runtime::Schema parse_row_fields(const Config& fields, Diagnostics& diagnostics) {
  FileOptions options;
  for (const Config* item : items_of(fields)) parse_field(*item, options, diagnostics);
  return options.schema();
}

}  // namespace huiliu::codecs
