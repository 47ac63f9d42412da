#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codecs/files/file_decoder.h"
#include "connectors/file/file_reader.h"
#include "connectors/testing.h"
#include "runtime/record/value_text.h"

namespace huiliu::connectors::testing {

/// A file source and its decoder; rows come out as "offset|a|b", rejects as "offset!code!field".
class FileSourceHarness {
 public:
  explicit FileSourceHarness(const TemporaryFolder& folder, const std::string& config) {
    runtime::Diagnostics diagnostics;
    options_ = codecs::parse_file_options(config_of(config), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    context_.node_name = "source";
    context_.base_folder = folder.path();
    context_.clock = &clock_;
    context_.left_out = [this](const std::string& name, const std::string& why) {
      why.empty() ? void(left_out.erase(name)) : void(left_out[name] = why);
    };
    context_.intern = [this](std::string_view name) {
      names_.emplace_back(name);
      return &names_.back();
    };
    const runtime::DecoderContext decoder{
        options_.schema().width() + 7,
        runtime::parse_event_time(config_of(config), options_.schema(), diagnostics).field};
    decoder_ = codecs::make_file_decoder(options_, decoder);
    runtime::Outputs& out =
        outputs_.emplace("source", 1, static_cast<std::uint32_t>(options_.schema().width()));
    out.set_arena(&arena_);
    out.port(0).target = &rows_;
    out.port(0).target_outputs = &sunk_;
    out.reject_port().target = &rejects_;
    out.reject_port().target_outputs = &sunk_;
    rows_.on_record = [this](const runtime::Record& record) {
      std::string text = std::to_string(record.origin.offset);
      const runtime::Schema schema = options_.schema();
      for (std::size_t i = 0; i < schema.width(); ++i) {
        std::string scratch;
        text += "|";
        text += record[i].is_null() ? "-" : value_text(schema[i].type, record[i], scratch);
      }
      rows.push_back(text);
      times.push_back(record.event_time);
      ids.push_back(record.id);
    };
    rejects_.on_record = [this](const runtime::Record& record) {
      const std::size_t at = options_.schema().width();
      rejects.push_back(std::to_string(record.origin.offset) + "!" +
                        std::string(record[at].text()) + "!" + std::string(record[at + 1].text()));
      values.emplace_back(record[at + 2].text());
    };
  }

  runtime::Status open(const Positions& positions = {}, std::size_t slice_bytes = 1 << 20) {
    reader_ = make_file_reader(options_);
    context_.positions = positions;
    context_.slice_bytes = slice_bytes;
    return reader_->open(context_);
  }
  /// One slice; its positions go to `committed`.
  runtime::ReadResult step() {
    runtime::Slice slice;
    const runtime::ReadResult result = reader_->read(slice);
    if (result != runtime::ReadResult::kSlice) return result;
    decoder_->decode(slice, *outputs_);
    merge(committed, slice.positions);
    partitions.push_back(*slice.partition);
    return result;
  }
  runtime::ReadResult run() {
    for (;;) {
      const runtime::ReadResult result = step();
      if (result != runtime::ReadResult::kSlice) return result;
    }
  }
  void pass(std::int64_t ms) { clock_.advance(ms); }

  std::vector<std::string> rows, rejects, values, partitions;
  std::vector<std::int64_t> times;
  std::vector<std::uint64_t> ids;
  Positions committed;
  std::map<std::string, std::string> left_out;

 private:
  codecs::FileOptions options_;
  runtime::ManualClock clock_{4'000'000'000'000};
  runtime::SourceContext context_;
  std::deque<std::string> names_;
  runtime::Arena arena_;
  std::optional<runtime::Outputs> outputs_;
  runtime::Outputs sunk_{"sink", 1, 64};
  Collector rows_, rejects_;
  std::unique_ptr<runtime::SourceReader> reader_;
  std::unique_ptr<runtime::Decoder> decoder_;
};

}  // namespace huiliu::connectors::testing
