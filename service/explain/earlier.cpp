#include "service/explain/earlier.h"

#include <algorithm>

namespace huiliu::service {
namespace {

Question question_of(const std::vector<Trace>& traces) {
  Question question;
  for (const Trace& trace : traces) {
    for (const TraceStep& step : trace.steps) {
      if (!step.earlier) continue;
      const bool known = std::find(question.origins.begin(), question.origins.end(),
                                   *step.earlier) != question.origins.end();
      if (!known) question.origins.push_back(*step.earlier);
    }
  }
  question.limit = question.origins.size();
  return question;
}

/// The values that came into the node with the record.
const std::vector<TraceChange>* find_input(const std::vector<Trace>& traces,
                                           const TraceOrigin& origin, const std::string& node) {
  for (const Trace& trace : traces) {
    if (trace.origin != origin) continue;
    for (const TraceStep& step : trace.steps) {
      if (step.node == node) return &step.key_input;
    }
  }
  return nullptr;
}

std::optional<std::string> value_of(const std::vector<TraceChange>& row, const std::string& field) {
  const auto found = std::find_if(row.begin(), row.end(),
                                  [&](const TraceChange& one) { return one.field == field; });
  return found == row.end() ? std::nullopt : found->after;
}

/// Where the two were read differs anyway.
bool tells_origin(const TraceChange& difference, const TraceOrigin& earlier,
                  const TraceOrigin& own) {
  return (difference.before == earlier.file && difference.after == own.file) ||
         (difference.before == std::to_string(earlier.row) &&
          difference.after == std::to_string(own.row));
}

void compare(const std::vector<TraceChange>& earlier, const TraceOrigin& own, TraceStep& step) {
  const auto add = [&](TraceChange difference) {
    const bool differs = difference.before != difference.after;
    if (differs && !tells_origin(difference, *step.earlier, own)) {
      step.differences.push_back(std::move(difference));
    }
  };
  for (const TraceChange& one : step.key_input) {
    add({one.field, value_of(earlier, one.field), one.after});
  }
  for (const TraceChange& one : earlier) {
    if (!value_of(step.key_input, one.field)) add({one.field, one.after, std::nullopt});
  }
}

}  // namespace

ReplayEnd compare_with_earlier(const runtime::Topology& topology, std::vector<Trace>& traces,
                               const ReplayHooks& hooks) {
  const Question question = question_of(traces);
  if (question.origins.empty()) return {};
  Recorder recorder(topology, question);
  const ReplayEnd end = replay(topology, recorder, hooks);
  for (Trace& trace : traces) {
    for (TraceStep& step : trace.steps) {
      if (!step.earlier) continue;
      const auto* earlier = find_input(recorder.found(), *step.earlier, step.node);
      if (earlier == nullptr) continue;
      step.compared = true;
      compare(*earlier, trace.origin, step);
    }
  }
  return end;
}

}  // namespace huiliu::service
