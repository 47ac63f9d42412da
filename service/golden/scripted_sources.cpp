#include "service/golden/scripted_sources.h"

#include <algorithm>

#include <fmt/format.h>

#include "codecs/value_parsers.h"
#include "runtime/record/key.h"
#include "service/golden/input_files.h"

namespace huiliu::service {
namespace {

using runtime::Config;
using runtime::ReadResult;
using runtime::Slice;
using runtime::SourceDeclaration;
using runtime::Status;
using runtime::Topology;
using runtime::Value;

constexpr std::string_view kFile = "file";

class ScriptedReader final : public runtime::SourceReader {
 public:
  ScriptedReader(std::shared_ptr<Script> script, std::size_t node, runtime::ManualClock& clock)
      : script_(std::move(script)), node_(node), clock_(clock) {}

  Status open(const runtime::SourceContext& context) override {
    partition_ = context.intern(context.node_name);
    return Status::ok();
  }
  ReadResult read(Slice& slice) override {
    Script& script = *script_;
    for (; script.next < script.steps.size(); ++script.next) {
      const ScriptStep& step = script.steps[script.next];
      if (step.advance_ms == 0) break;
      clock_.advance(step.advance_ms);
    }
    if (script.next == script.steps.size()) return ReadResult::kEnd;
    if (script.steps[script.next].node != node_) return ReadResult::kIdle;
    slice = Slice();
    slice.bytes = "record";
    slice.partition = partition_;
    slice.partition_hash = runtime::KeyBuilder::hash_bytes(*partition_);
    slice.first_offset = ++records_;
    // The script outlives the slice's way through the engine.
    slice.detail = std::shared_ptr<const void>(script_, &script.steps[script.next++]);
    return ReadResult::kSlice;
  }

 private:
  std::shared_ptr<Script> script_;
  std::size_t node_;
  runtime::ManualClock& clock_;
  const std::string* partition_ = nullptr;
  std::uint64_t records_ = 0;
};

class ScriptedDecoder final : public runtime::Decoder {
 public:
  ScriptedDecoder(const SourceDeclaration& declaration, const runtime::DecoderContext& context)
      : schema_(declaration.output),
        event_time_(declaration.event_time.field),
        row_(context.row_slots) {}

  void decode(const Slice& slice, runtime::Outputs& out) override {
    const auto& step = *static_cast<const ScriptStep*>(slice.detail.get());
    runtime::Record record;
    record.values = row_.data();
    record.width = static_cast<std::uint32_t>(schema_.width());
    for (std::size_t i = 0; i < schema_.width(); ++i) {
      row_[i] = Value();
      if (step.nulls[i]) continue;
      row_[i] = *codecs::parse_cell(schema_[i].type, step.texts[i]);
    }
    record.origin = {slice.partition, slice.first_offset};
    record.id = runtime::record_id(slice.partition_hash, slice.first_offset);
    if (event_time_ >= 0 && !row_[static_cast<std::size_t>(event_time_)].is_null()) {
      record.event_time = row_[static_cast<std::size_t>(event_time_)].integer();
    }
    out.emit(record);
  }

 private:
  const runtime::Schema schema_;
  int event_time_;
  std::vector<Value> row_;
};

}  // namespace

ScriptedSources::ScriptedSources(Topology& topology, const Config& input, const Config& templates,
                                 runtime::ManualClock& clock, runtime::Diagnostics& diagnostics)
    : clock_(clock), diagnostics_(diagnostics), replaced_(topology.nodes.size()) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const runtime::Node& node = topology.nodes[n];
    if (node.source != nullptr && node.type_name != kFile) replace(topology, n);
  }
  for (const Config& step : input.items()) take_step(topology, step, templates);
  for (const auto& [name, records] : input.entries()) {
    take_source(topology, name, input.key_place(name), records, templates);
  }
}

void ScriptedSources::replace(Topology& topology, std::size_t node) {
  if (replaced_[node]) return;
  replaced_[node] = true;
  auto& type = *types_.emplace_back(std::make_unique<runtime::SourceType>());
  type.descriptor = topology.nodes[node].source->descriptor;
  type.create_reader = [script = script_, node, &clock = clock_](const SourceDeclaration&) {
    return std::make_unique<ScriptedReader>(script, node, clock);
  };
  type.create_decoder = [](const SourceDeclaration& declaration,
                           const runtime::DecoderContext& context) {
    return std::make_unique<ScriptedDecoder>(declaration, context);
  };
  topology.nodes[node].source = &type;
}

void ScriptedSources::take_source(Topology& topology, const std::string& name,
                                  const runtime::Place& place, const Config& records,
                                  const Config& templates) {
  const auto node = std::find_if(topology.nodes.begin(), topology.nodes.end(), [&](const auto& n) {
    return n.source != nullptr && n.name == name;
  });
  if (node == topology.nodes.end()) {
    std::vector<std::string> sources;
    for (const runtime::Node& known : topology.nodes) {
      if (known.source != nullptr) sources.push_back(known.name);
    }
    diagnostics_.error(place, "the topology has no source '" + name + "'",
                       runtime::nearest_hint(name, sources));
    return;
  }
  const auto index = static_cast<std::size_t>(node - topology.nodes.begin());
  if (records.is_map() && !replaced_[index]) return;  // files
  replace(topology, index);
  for (const Config& record : records.items()) take_record(topology, index, record, templates);
  for (const auto& [file, content] : records.entries()) {
    if (!content.is_list()) {
      diagnostics_.error(content.place(), "a source that reads no files takes lists of records");
    }
    for (const Config& record : content.items()) take_record(topology, index, record, templates);
  }
}

void ScriptedSources::take_step(Topology& topology, const Config& step, const Config& templates) {
  static const std::vector<runtime::Option> kKeys = {
      {.name = "source", .doc = "which source reads the record"},
      {.name = "record", .type = runtime::OptionType::kAny},
      {.name = "records", .type = runtime::OptionType::kAny},
      {.name = "advance", .type = runtime::OptionType::kDuration}};
  const std::size_t errors = diagnostics_.errors();
  if (!step.is_map()) {
    diagnostics_.error(step.place(), "expected a step",
                       "{source: NAME, record: {…}}, or {advance: 5s}");
    return;
  }
  runtime::check_config(step, kKeys, {}, diagnostics_);
  if (diagnostics_.errors() != errors) return;
  if (step.has("advance")) {
    script_->steps.push_back(
        {.texts = {}, .nulls = {}, .advance_ms = step["advance"].as_duration().count()});
    return;
  }
  if (!step.has("source")) {
    diagnostics_.error(step.place(), "the step names no source",
                       "or `advance`, for time that passes");
    return;
  }
  std::vector<Config> records = step["records"].items();
  if (step.has("record")) records.insert(records.begin(), step["record"]);
  take_source(topology, step["source"].text(), step["source"].place(),
              Config::list(std::move(records), step.place()), templates);
}

void ScriptedSources::take_record(const Topology& topology, std::size_t node, const Config& given,
                                  const Config& templates) {
  if (!given.is_map()) {
    diagnostics_.error(given.place(), "expected a record: a map");
    return;
  }
  const Config record = complete_record(given, templates, diagnostics_);
  const runtime::Schema& schema = topology.nodes[node].source_declaration->output;
  ScriptStep step{.node = node,
                  .texts = std::vector<std::string>(schema.width()),
                  .nulls = std::vector<bool>(schema.width(), true)};
  for (const auto& [field, value] : record.entries()) {
    const auto index = schema.index_of(field);
    if (!index) {
      std::vector<std::string> names;
      for (const runtime::Field& known : schema.fields()) names.push_back(known.name);
      diagnostics_.error(
          record.key_place(field),
          fmt::format("source '{}' has no field '{}'", topology.nodes[node].name, field),
          runtime::nearest_hint(field, names));
      continue;
    }
    if (value.is_null()) continue;
    const runtime::Type type = schema[*index].type;
    if (!value.is_scalar() || !codecs::parse_cell(type, value.text())) {
      diagnostics_.error(value.place(),
                         fmt::format("field '{}' is of type {}", field, type_name(type)));
      continue;
    }
    step.texts[*index] = value.text();
    step.nulls[*index] = false;
  }
  script_->steps.push_back(std::move(step));
}

}  // namespace huiliu::service
