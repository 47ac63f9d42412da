#include <algorithm>

#include <fnmatch.h>

#include "operators/csv_table.h"
#include "runtime/component/registry.h"

namespace huiliu::operators {
namespace {

using runtime::Declaration;
using runtime::OptionType;
using runtime::Outputs;
using runtime::Record;
using runtime::Type;
using runtime::Value;

/// Which source a file or a topic is registered for.
struct Channel {
  std::string pattern, source;
};

std::vector<Channel> load_channels(const runtime::Config& path, runtime::Diagnostics& diagnostics) {
  std::vector<Channel> channels;
  if (path.is_null()) return channels;
  const CsvTable csv = CsvTable::load(path, {"pattern", "source"}, diagnostics);
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    channels.push_back(
        {std::string(csv.cell(row, "pattern")), std::string(csv.cell(row, "source"))});
  }
  return channels;
}

class Origin final : public runtime::Operator {
 public:
  Origin(std::size_t file, std::size_t row, std::size_t width, bool has_channel,
         std::vector<Channel> channels)
      : file_(file),
        row_(row),
        width_(width),
        has_channel_(has_channel),
        channels_(std::move(channels)) {}

  void process(std::size_t /*input*/, Record& record, Outputs& out) override {
    if (has_channel_) record[width_ - 1] = channel_of(record.origin.partition);
    // Partition names are interned: they live as long as the process.
    record[file_] =
        record.origin.partition == nullptr ? Value() : Value::of_text(*record.origin.partition);
    record[row_] = Value::of_integer(static_cast<std::int64_t>(record.origin.offset));
    record.width = static_cast<std::uint32_t>(width_);
    out.emit(record);
  }

 private:
  Value channel_of(const std::string* partition) {
    if (partition == nullptr) return {};
    if (partition != last_partition_) {
      last_partition_ = partition;
      const auto found =
          std::find_if(channels_.begin(), channels_.end(), [&](const Channel& channel) {
            return ::fnmatch(channel.pattern.c_str(), partition->c_str(), 0) == 0;
          });
      last_channel_ = found == channels_.end() ? Value() : Value::of_text(found->source);
    }
    return last_channel_;
  }

  std::size_t file_;
  std::size_t row_;
  std::size_t width_;
  bool has_channel_;
  std::vector<Channel> channels_;
  const std::string* last_partition_ = nullptr;
  Value last_channel_;
};

void declare(Declaration& declaration) {
  declaration.output = declaration.input();
  for (const char* option : {"file", "row", "channel"}) {
    const auto& name = declaration.config[option];
    if (declaration.input().index_of(name.text())) {
      declaration.diagnostics.error(name.place(),
                                    "the input has a field '" + name.text() + "' already");
    }
  }
  declaration.output.add(declaration.config["file"].text(), Type::kString);
  declaration.output.add(declaration.config["row"].text(), Type::kInt64);
  if (!declaration.config.has("channels")) return;
  load_channels(declaration.config["channels"], declaration.diagnostics);
  declaration.output.add(declaration.config["channel"].text(), Type::kString);
}

const runtime::Registration registration(runtime::OperatorType{
    .descriptor = {.name = "origin",
                   .summary = "Appends where a record was read: file (or partition) and row.",
                   .description =
                       "Every record carries its origin; this operator makes it visible as two "
                       "fields, so that later operators can count by it and sinks can write it.",
                   .options = {{.name = "file",
                                .doc = "Name of the field for the file or partition.",
                                .default_text = "source_file"},
                               {.name = "row",
                                .doc = "Name of the field for the row or offset.",
                                .default_text = "source_row"},
                               {.name = "channels",
                                .type = OptionType::kAny,
                                .doc = "CSV table of who sends through which folder or topic: "
                                       "pattern (a glob on the file or partition), source. The "
                                       "first that fits gives the field `channel`: what a row says "
                                       "of its source is a claim, the channel is known."},
                               {.name = "channel",
                                .doc = "Name of the field for the channel's source.",
                                .default_text = "channel"}},
                   .changes = runtime::Changes::kPassedOn,
                   .example = "type: origin\ninput: lines\n"},
    .declare = declare,
    .create = [](const Declaration& declaration) -> std::unique_ptr<runtime::Operator> {
      const std::size_t width = declaration.input().width();
      const runtime::Config& config = declaration.config;
      const bool has_channel = config.has("channels");
      return std::make_unique<Origin>(width, width + 1, width + (has_channel ? 3 : 2), has_channel,
                                      load_channels(config["channels"], declaration.diagnostics));
    }});

}  // namespace
}  // namespace huiliu::operators
