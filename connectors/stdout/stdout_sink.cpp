#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "codecs/row_encoder.h"
#include "formats/csv.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::OptionType;
using runtime::SinkDeclaration;
using runtime::Status;

struct Settings {
  std::vector<codecs::OutputColumn> columns;
  bool csv = false;
};

Settings parse(SinkDeclaration& declaration) {
  const runtime::Config& config = declaration.config;
  return {codecs::parse_columns(config["fields"], declaration.inputs, declaration.diagnostics),
          config.string_or("format", "ndjson") == "csv"};
}

/// Holds an epoch's lines back until its ledger balances: whoever reads along sees whole epochs.
class StdoutSink final : public runtime::EpochSink {
 public:
  explicit StdoutSink(const Settings& settings)
      // Where people watch both, a line of progress on standard error stands before the first row.
      : clear_(isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "") {
    if (!settings.csv) return;
    std::vector<std::string> names;
    for (const codecs::OutputColumn& column : settings.columns) names.push_back(column.name);
    formats::CsvWriter(formats::CsvDialect{',', '"'})
        .append_row(std::span<const std::string>(names), header_);
  }

  /// Every process has a standard output of its own, so each begins with the header.
  Status open(const runtime::SinkContext& /*context*/) override {
    lines_.clear();
    return write(std::exchange(header_, {}));
  }

  Status append(std::string_view bytes, std::uint64_t /*records*/) override {
    lines_ += bytes;
    return Status::ok();
  }

  Status prepare(std::vector<std::pair<std::string, std::string>>& /*positions*/) override {
    Status status = write(lines_);
    lines_.clear();
    return status;
  }

 private:
  Status write(const std::string& text) {
    if (text.empty()) return Status::ok();
    errno = 0;
    std::fputs(clear_, stdout);
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
        std::fflush(stdout) == 0) {
      return Status::ok();
    }
    return Status::failed(fmt::format("standard output cannot be written: {}",
                                      errno == 0 ? "an earlier write failed" : strerror(errno)));
  }

  const char* clear_;
  std::string header_, lines_;
};

runtime::Descriptor descriptor() {
  runtime::Descriptor d;
  d.name = "stdout";
  d.kind = runtime::ComponentKind::kSink;
  d.summary = "Prints rows to standard output, as NDJSON or CSV.";
  d.description =
      "For a first look and for pipes. The rows of an epoch are printed together, once its ledger "
      "balances and just before it is committed; until then they are in memory, so a stream of "
      "many rows wants a short `epoch` or a `file`. Where a topology has such a sink, `huiliu run` "
      "prints its summary to standard error.\n\nSeveral input streams may have different fields: "
      "each row is projected by name. Timestamps are written as milliseconds, dates as yyyy-mm-dd.";
  d.options = {
      {.name = "format",
       .type = OptionType::kEnum,
       .doc = "How rows are written; CSV begins with a header.",
       .default_text = "ndjson",
       .choices = {"ndjson", "csv"}},
      {.name = "fields",
       .type = OptionType::kAny,
       .doc = "What is written, in order: a list of field names, or of maps with `name` (as it is "
              "written), `field` (of the stream; default: the name) and `default` (written for "
              "null). Default: all fields."}};
  d.traits = {.reason =
                  "what is printed cannot be taken back: a crash between the printing and "
                  "the commit prints the rows of that epoch again"};
  d.example = "type: stdout\ninput: accepted\n";
  return d;
}

runtime::SinkType type() {
  runtime::SinkType t;
  t.descriptor = descriptor();
  t.declare = [](SinkDeclaration& declaration) { declaration.keep(parse(declaration)); };
  t.create_encoder = [](const SinkDeclaration& declaration, std::size_t input) {
    const auto& settings = declaration.kept<Settings>();
    const runtime::Schema& schema = *declaration.inputs[input];
    return settings.csv ? codecs::make_csv_encoder(settings.columns, schema, ',')
                        : codecs::make_json_encoder(settings.columns, schema, codecs::Nulls::kOmit);
  };
  t.create_epoch_sink = [](const SinkDeclaration& declaration) {
    return std::make_unique<StdoutSink>(declaration.kept<Settings>());
  };
  return t;
}

const runtime::Registration registration(type());

}  // namespace
}  // namespace huiliu::connectors
