#include <filesystem>

#include "connectors/file/committed_file.h"
#include "connectors/file/record_encoder.h"
#include "formats/csv.h"
#include "runtime/registry.h"

namespace huiliu::connectors {

using runtime::OptionType;
using runtime::SinkDeclaration;
using runtime::Status;

namespace {

class FileSink final : public runtime::FileLikeSink {
 public:
  FileSink(std::string path, bool overwrite, std::string heading)
      : path_(std::move(path)), overwrite_(overwrite), heading_(std::move(heading)) {}

  Status open(const runtime::SinkContext& context) override {
    std::filesystem::path path(path_);
    if (path.is_relative()) path = std::filesystem::path(context.base_folder) / path;
    std::uint64_t length = 0;
    bool ours = false;
    for (const auto& [key, value] : context.positions) {
      if (key != "length") continue;
      length = std::stoull(value);
      ours = true;
    }
    Status status = file_.open(path.lexically_normal().string(), length, ours, overwrite_);
    if (status.is_ok() && length == 0 && !heading_.empty()) status = file_.append(heading_);
    return status;
  }
  Status append(std::string_view bytes, std::uint64_t) override { return file_.append(bytes); }
  Status prepare(std::vector<std::pair<std::string, std::string>>& positions) override {
    Status status = file_.sync();
    positions = {{"length", std::to_string(file_.length())}};
    return status;
  }

 private:
  std::string path_;
  bool overwrite_;
  std::string heading_;
  CommittedFile file_;
};

std::unique_ptr<runtime::SinkEncoder> create_encoder(const SinkDeclaration& declaration,
                                                     std::size_t input) {
  auto fields = output_fields(declaration, input, false);
  if (declaration.config["format"].text() == "csv") return make_csv_encoder(std::move(fields));
  const std::string& nulls = declaration.config["nulls"].text();
  return make_json_encoder(std::move(fields), nulls == "omit"      ? Nulls::kOmit
                                              : nulls == "default" ? Nulls::kDefault
                                                                   : Nulls::kNull);
}

std::unique_ptr<runtime::FileLikeSink> create_file(const SinkDeclaration& declaration) {
  std::string heading;
  if (declaration.config["format"].text() == "csv") {
    std::vector<std::string> names;
    for (const OutputField& field : output_fields(declaration, 0, false)) {
      names.push_back(field.name);
    }
    formats::CsvWriter().append_row(names, heading);
  }
  return std::make_unique<FileSink>(declaration.config["path"].text(),
                                    declaration.config["overwrite"].as_bool(), heading);
}

const runtime::Registration registration([] {
  runtime::SinkType type;
  type.descriptor.name = "file";
  type.descriptor.summary = "Writes records to an NDJSON or CSV file.";
  type.descriptor.description =
      "The file's length is part of the commit: after a crash the file is cut back to it, so each "
      "record is there once. Several inputs with different fields are brought together by name.";
  type.descriptor.options = {
      {.name = "path",
       .type = OptionType::kPath,
       .doc = "The file; made if absent.",
       .required = true},
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "How records are written.",
       .default_text = "ndjson",
       .choices = {"ndjson", "csv"}},
      {.name = "fields",
       .type = OptionType::kList,
       .doc = "Names, or {name, field}; `_source` is the record's origin. Default all fields.",
       .members = {{.name = "", .type = OptionType::kAny}}},
      {.name = "nulls",
       .type = OptionType::kEnum,
       .doc = "NDJSON: leave out fields that are null, write null, or the type's default.",
       .default_text = "omit",
       .choices = {"omit", "null", "default"}},
      {.name = "overwrite",
       .type = OptionType::kBool,
       .doc = "Replace a file that this state did not write.",
       .default_text = "false"}};
  type.descriptor.traits = {.transactional = true,
                            .reason = "the file's length is part of the epoch's commit"};
  type.descriptor.example = "type: file\ninput: numbers\npath: out/numbers.ndjson\n";
  type.declare = [](SinkDeclaration& declaration) { output_fields(declaration, 0, true); };
  type.create_encoder = create_encoder;
  type.create_file = create_file;
  return type;
}());

}  // namespace
}  // namespace huiliu::connectors
