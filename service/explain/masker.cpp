#include "service/explain/masker.h"

#include <algorithm>
#include <functional>

#include "domain/masking.h"

namespace huiliu::service {
namespace {

using runtime::Config;

/// Shorter ones ("1", "none") stand in too many other texts.
constexpr std::size_t kShortestNumber = 6;

void collect_personal(const Config& config, std::set<std::string, std::less<>>& fields) {
  if (config.is_map() && config["personal"].is_scalar() && config["personal"].text() == "true") {
    for (const char* key : {"field", "fields"}) {
      if (!config.has(key)) continue;
      for (const std::string& name : config[key].as_strings()) fields.insert(name);
    }
  }
  for (const Config& item : config.items()) collect_personal(item, fields);
  for (const auto& [key, value] : config.entries()) collect_personal(value, fields);
}

std::string masked(std::string_view text) {
  std::string out;
  domain::mask_id(text, out);
  return out;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

using Visit = std::function<void(std::string_view field, std::string& text)>;

void visit_change(TraceChange& change, const Visit& visit) {
  if (change.before) visit(change.field, *change.before);
  if (change.after) visit(change.field, *change.after);
}

void visit_texts(Trace& trace, const Visit& visit) {
  for (TraceChange& change : trace.read) visit_change(change, visit);
  for (TraceStep& step : trace.steps) {
    for (TraceOutput& output : step.outputs) {
      for (TraceChange& change : output.changes) visit_change(change, visit);
    }
    for (TraceChange& change : step.differences) visit_change(change, visit);
    if (!step.reject) continue;
    visit(step.reject->field, step.reject->value);
    visit({}, step.reject->message_en);
    visit({}, step.reject->message_zh);
  }
}

}  // namespace

std::string mask_citizen_numbers(std::string_view text) {
  std::string out;
  return std::string(domain::mask_citizen_numbers(text, domain::Certainty::kLikely, out));
}

Masker::Masker(const runtime::Topology& topology) {
  for (const runtime::Node& node : topology.nodes) collect_personal(*node.config, fields_);
}

std::string Masker::masked(std::string_view field, std::string_view text) const {
  return is_personal(field) ? service::masked(text) : mask_citizen_numbers(text);
}

std::set<std::string> Masker::values_of(const Trace& trace) const {
  std::set<std::string> values;
  Trace copy = trace;
  visit_texts(copy, [&](std::string_view field, std::string& text) {
    if (is_personal(field) && text.size() >= kShortestNumber) values.insert(text);
  });
  return values;
}

void Masker::mask(Trace& trace) const {
  const std::set<std::string> values = values_of(trace);
  visit_texts(trace, [&](std::string_view field, std::string& text) {
    if (is_personal(field)) {
      text = service::masked(text);
      return;
    }
    for (const std::string& value : values) replace_all(text, value, service::masked(value));
    text = mask_citizen_numbers(text);
  });
}

}  // namespace huiliu::service
