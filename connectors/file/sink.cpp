#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codecs/delimiter.h"
#include "codecs/row_encoder.h"
#include "connectors/file/append_file.h"
#include "formats/csv.h"
#include "runtime/base/failpoint.h"
#include "runtime/base/paths.h"
#include "runtime/base/stored_number.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::OptionType;
using runtime::SinkContext;
using runtime::SinkDeclaration;
using runtime::Status;

constexpr std::string_view kLength = "length";

struct Settings {
  std::vector<codecs::OutputColumn> columns;
  bool csv = false;
  char delimiter = ',';
  codecs::Nulls nulls = codecs::Nulls::kOmit;
};

codecs::Nulls nulls_of(const runtime::Config& config) {
  const std::string text = config.string_or("nulls", "omit");
  if (text == "null") return codecs::Nulls::kNull;
  return text == "default" ? codecs::Nulls::kDefault : codecs::Nulls::kOmit;
}

Settings parse(SinkDeclaration& declaration) {
  const runtime::Config& config = declaration.config;
  return {codecs::parse_columns(config["fields"], declaration.inputs, declaration.diagnostics),
          config.string_or("format", "ndjson") == "csv",
          codecs::named_delimiter(config.string_or("delimiter", ",")), nulls_of(config)};
}

class FileSink final : public runtime::EpochSink {
 public:
  explicit FileSink(const SinkDeclaration& declaration)
      : name_(declaration.config["path"].as_string()),
        overwrite_(declaration.config.bool_or("overwrite", false)) {
    const auto& settings = declaration.kept<Settings>();
    if (!settings.csv) return;
    std::vector<std::string> names;
    for (const codecs::OutputColumn& column : settings.columns) names.push_back(column.name);
    formats::CsvWriter(formats::CsvDialect{settings.delimiter, '"'})
        .append_row(std::span<const std::string>(names), header_);
  }

  Status open(const SinkContext& context) override {
    std::optional<std::uint64_t> length;
    for (const auto& [key, value] : context.positions) {
      if (key == kLength) length = runtime::stored_number<std::uint64_t>(value, name_);
    }
    Status status =
        file_.open(runtime::resolve_path(context.base_folder, name_), length, overwrite_);
    if (!status.is_ok()) return status;
    if (length) file_.committed();
    prepared_ = length.has_value();
    return file_.length() == 0 ? file_.append(header_) : Status::ok();
  }

  runtime::Result<bool> fits(const SinkContext& context) override {
    for (const auto& [key, value] : context.positions) {
      if (key != kLength) continue;
      return fits_length(runtime::resolve_path(context.base_folder, name_),
                         runtime::stored_number<std::uint64_t>(value, name_));
    }
    return false;
  }

  Status append(std::string_view bytes, std::uint64_t) override { return file_.append(bytes); }

  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    if (prepared_) file_.committed();
    if (runtime::mutant("file.position_early")) {
      positions.emplace_back(kLength, std::to_string(file_.length()));
      return Status::ok();
    }
    if (Status status = file_.sync(); !status.is_ok()) return status;
    positions.emplace_back(kLength, std::to_string(file_.length()));
    prepared_ = true;
    return Status::ok();
  }

  Status finish() override {
    file_.committed();
    return file_.close();
  }

 private:
  std::string name_;
  bool overwrite_;
  std::string header_;
  AppendFile file_;
  bool prepared_ = false;  // an earlier prepare() was committed once the next one comes
};

/// Rows of CSV stand under a header that is there; those of NDJSON name their fields themselves.
std::string layout_of(const Settings& settings) {
  if (!settings.csv) return "format=ndjson";
  std::vector<std::string> names;
  for (const auto& column : settings.columns) names.push_back(column.name);
  return fmt::format("format=csv delimiter='{}' columns=({})", settings.delimiter,
                     fmt::join(names, ", "));
}

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "file";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Writes a file of NDJSON or CSV rows.";
  d.description =
      "The length of the file is committed with each epoch; after a crash the file is cut back to "
      "it, so every row is there exactly once. A file that this topology did not write is left "
      "alone.\n\nSeveral input streams may have different fields: each row is projected by name, "
      "and what its stream does not have is null. Timestamps are written as milliseconds, dates "
      "as yyyy-mm-dd.";
  d.options = {
      {.name = "path",
       .type = OptionType::kPath,
       .doc = "File to write; folders are created.",
       .required = true},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "How rows are written.",
       .default_text = "ndjson",
       .choices = {"ndjson", "csv"}},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is written, in order: a list of field names, or of maps with `name` (in the "
              "file), `field` (of the stream; default: the name) and `default` (written for "
              "null). Default: all fields."},
      {.name = "nulls",
       .type = OptionType::kEnum,
       .doc = "NDJSON: what becomes of a null that has no `default`: left out, written as null, or "
              "as an empty text or 0.",
       .default_text = "omit",
       .choices = {"omit", "null", "default"}},
      {.name = "delimiter",
       .type = OptionType::kString,
       .doc = "CSV: between cells; `tab` for a tab.",
       .default_text = ","},
      {.name = "overwrite",
       .type = OptionType::kBool,
       .doc = "Whether a fresh start may empty a file that it did not write.",
       .default_text = "false"}};
  d.traits = {.transactional = true,
              .reason = "the file's length is part of the commit and it is cut back on recovery"};
  d.example = "type: file\ninput: accepted\npath: out/accepted.ndjson\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) {
    Settings settings = parse(declaration);
    declaration.layout = layout_of(settings);
    declaration.keep(std::move(settings));
  };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    const auto& settings = declaration.kept<Settings>();
    const runtime::Schema& schema = *declaration.inputs[input];
    return settings.csv ? codecs::make_csv_encoder(settings.columns, schema, settings.delimiter)
                        : codecs::make_json_encoder(settings.columns, schema, settings.nulls);
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<FileSink>(declaration);
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
