#include "tests/property/random_topology.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/property/input_files.h"
#include "tests/property/operator_options.h"

namespace huiliu::property {
namespace {

constexpr std::int64_t kStart = 1'700'000'000'000;

// What it gives, and when, depends on where epochs end.
bool gives_per_epoch(const std::string& type) { return type == "count"; }

bool is_among(const std::string& name, const std::string& inputs) {
  return (", " + inputs + ",").find(", " + name + ",") != std::string::npos;
}

}  // namespace

std::vector<std::string> operator_types() {
  std::vector<std::string> types;
  const auto& registry = runtime::Registry::linked();
  for (const auto* one : registry.descriptors(runtime::ComponentKind::kOperator)) {
    types.emplace_back(one->name);
  }
  return types;
}

RandomTopology::RandomTopology(Random& random, std::string folder, bool per_epoch)
    : random_(random),
      folder_(std::move(folder)),
      path_(folder_ + "/topology.yaml"),
      per_epoch_(per_epoch) {
  const std::vector<unsigned> shards = {1, 3, 16, 16, 64};
  head_ = fmt::format("topology: drawn\nshards: {}\nepoch: {}\n", random_.pick(shards),
                      per_epoch_ ? "3ms" : "1s");
  write_tables(folder_);
  draw_sources();
  const std::size_t wanted = 2 + random_.below(12);
  for (int tries = 0; taken_ < wanted && tries < 60; ++tries) draw_operator();
  draw_sinks();
  std::ofstream(path_) << text();
}

std::string RandomTopology::text() const {
  std::string text = head_;
  if (!rejects_.empty()) text += fmt::format("rejects: {}\n", rejects_);
  text += "sources:\n";
  for (const std::string& source : sources_) text += source;
  if (!operators_.empty()) text += "operators:\n";
  for (const std::string& op : operators_) text += op;
  text += "sinks:\n";
  for (const std::string& sink : sinks_) text += sink;
  return text;
}

void RandomTopology::draw_sources() {
  for (std::size_t i = 0, n = 1 + random_.below(3); i < n; ++i) {
    const std::string name = fmt::format("source{}", i);
    write_rows(random_, folder_ + "/" + name,
               kStart + static_cast<std::int64_t>(random_.below(300)));
    std::string time;
    if (random_.chance(75)) {
      time = fmt::format("event_time: ts, out_of_orderness: {}ms, ", random_.below(3) * 15);
    }
    const std::string node = fmt::format("  {0}: {{type: file, path: {0}, {1}fields: [{2}]}}\n",
                                         name, time, row_fields());
    sources_.push_back(node);
    if (!is_accepted(name)) throw std::runtime_error("a source is refused: " + why_ + text());
  }
}

// The last streams are chosen more often, so that chains get long.
const RandomTopology::Stream& RandomTopology::draw_stream() {
  constexpr std::size_t kLast = 4;
  const std::size_t all = streams_.size();
  const bool late = random_.chance(50);
  return streams_[late ? all - 1 - random_.below(std::min(kLast, all)) : random_.below(all)];
}

void RandomTopology::draw_operator() {
  const Stream& first = draw_stream();
  if (first.per_epoch) return;
  const std::string type = random_.pick(operator_types());
  const bool two = !runtime::Registry::linked().operator_type(type)->descriptor.inputs.empty();
  const Stream& second = two ? draw_stream() : first;
  if (second.per_epoch) return;
  bool known = false;
  const auto options = draw_options(random_, type, first.schema, second.schema, known);
  if (!known) unknown_.insert(type);
  if (!options) return;
  const std::string inputs = two ? first.name + ", " + second.name : draw_inputs(first);
  const bool taken = take(type, inputs, *options);
  ++(taken ? taken_ : refused_);
}

bool RandomTopology::take(const std::string& type, const std::string& inputs,
                          const std::string& options) {
  const std::string name = fmt::format("{}{}", type, operators_.size());
  operators_.push_back(fmt::format("  {}: {{type: {}, input: [{}]{}{}}}\n", name, type, inputs,
                                   options.empty() ? "" : ", ", options));
  const std::size_t before = streams_.size();
  if (!is_accepted(name)) {
    operators_.pop_back();
    return false;
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    Stream& stream = streams_[i];
    if (i >= before) stream.per_epoch = per_epoch_ && gives_per_epoch(type);
    if (is_among(stream.name, inputs)) stream.is_read = true;
  }
  used_.insert(type);
  return true;
}

std::string RandomTopology::draw_inputs(const Stream& first) {
  std::string inputs = first.name;
  for (std::size_t i = 0; i < streams_.size() && random_.chance(70); ++i) {
    const Stream& other = random_.pick(streams_);
    const bool fits = !other.per_epoch && other.schema == first.schema;
    if (fits && !is_among(other.name, inputs)) inputs += ", " + other.name;
  }
  return inputs;
}

// Every stream that nobody reads is written, some others are, and some sinks take several.
void RandomTopology::draw_sinks() {
  std::vector<std::string> together;
  const bool gather_rejects = random_.chance(50);
  rejects_.clear();
  for (const Stream& stream : streams_) {
    if (stream.is_silent) continue;
    // Which counts were said on the way, and taken back, depends on epochs too.
    if (stream.per_epoch && stream.name.ends_with(".changes")) continue;
    if (stream.per_epoch) {
      add_sink({stream.name}, true);
      continue;
    }
    if (gather_rejects && !stream.is_read && stream.name.ends_with(".rejects")) {
      rejects_ = "refused";
      continue;
    }
    if (random_.chance(25)) together.push_back(stream.name);
    if (!stream.is_read || random_.chance(30)) add_sink({stream.name}, false);
  }
  if (!together.empty()) add_sink(together, false);
  if (!rejects_.empty()) sinks_.push_back("  refused: {type: file, path: \"${OUT}/refused\"}\n");
}

void RandomTopology::add_sink(const std::vector<std::string>& inputs, bool last_row) {
  const std::string name = fmt::format("sink{}", sinks_.size());
  const bool csv = inputs.size() == 1 && !last_row && random_.chance(30);
  sinks_.push_back(fmt::format("  {0}: {{type: file, input: [{1}], path: \"${{OUT}}/{0}\"{2}}}\n",
                               name, fmt::join(inputs, ", "), csv ? ", format: csv" : ""));
  if (last_row) last_row_sinks_.insert(name);
}

// A sink that nothing else depends on makes the nodes so far a topology.
bool RandomTopology::is_accepted(const std::string& node) {
  const std::string input = streams_.empty() ? node : streams_.front().name;
  sinks_ = {fmt::format("  trial: {{type: file, input: {}, path: trial}}\n", input)};
  rejects_ = "trial";
  std::ofstream(path_) << text();
  sinks_.clear();
  runtime::Diagnostics diagnostics;
  const runtime::Topology topology =
      runtime::load_topology(path_, runtime::Registry::linked(), diagnostics);
  if (diagnostics.has_errors()) {
    why_ = diagnostics.to_string();
    return false;
  }
  const runtime::Node& taken = *topology.find(node);
  for (std::size_t port = 0; port < taken.outputs.size(); ++port) {
    const runtime::Schema& schema = taken.outputs[port].schema;
    if (schema.width() == 0) continue;
    const bool silent = taken.outputs[port].changes && !schema.index_of(runtime::kChangeField);
    streams_.push_back({.name = taken.stream_name(port), .schema = schema, .is_silent = silent});
  }
  return true;
}

}  // namespace huiliu::property
