#include "service/explain/trace.h"

#include <algorithm>

#include "runtime/record/value_text.h"
#include "service/explain/recorder.h"

namespace huiliu::service {
namespace {

using runtime::ComponentKind;
using runtime::Node;
using runtime::Schema;
using runtime::Topology;
using runtime::Value;

/// A row of a stream within a RawTrace.
struct Row {
  const Schema* schema = nullptr;
  const Value* values = nullptr;
  std::size_t width = 0;

  std::optional<std::string> text(std::size_t field) const {
    if (values[field].is_null()) return std::nullopt;
    std::string scratch;
    return std::string(runtime::value_text((*schema)[field].type, values[field], scratch));
  }
};

class Builder {
 public:
  Builder(const Topology& topology, const RawTrace& raw) : topology_(topology), raw_(raw) {}

  Trace build() {
    Trace trace;
    if (raw_.origin.partition != nullptr) {
      trace.origin = {*raw_.origin.partition, raw_.origin.offset};
    }
    for (std::size_t i = 0; i < raw_.steps.size(); ++i) trace.steps.push_back(step(i));
    if (!trace.steps.front().outputs.empty()) {
      std::swap(trace.read, trace.steps.front().outputs.front().changes);
    }
    return trace;
  }

 private:
  const Node& node_of(const RawTrace::Emission& emission) const {
    return topology_.nodes[raw_.steps[emission.step].node];
  }

  /// The row without the fields of a reject.
  Row row_of(const RawTrace::Emission& emission) const {
    const Schema& schema = node_of(emission).outputs[emission.port].schema;
    const std::size_t width = emission.width - (emission.rejected ? runtime::kRejectFieldCount : 0);
    return {&schema, raw_.values.data() + emission.values, width};
  }

  TraceStep step(std::size_t index) const {
    const RawTrace::Step& raw = raw_.steps[index];
    const Node& node = topology_.nodes[raw.node];
    TraceStep made;
    made.node = node.name;
    made.type = node.type_name;
    made.decides_by_key =
        node.operator_declaration && !node.operator_declaration->key_fields.empty();
    if (raw.earlier.partition != nullptr) {
      made.earlier = TraceOrigin{*raw.earlier.partition, raw.earlier.offset};
    }
    Row input;
    if (raw.from != RawTrace::kNone) {
      const RawTrace::Emission& from = raw_.emissions[raw.from];
      made.input = node_of(from).stream_name(from.port);
      input = whole_row(from);
      if (made.decides_by_key) made.key_input = values_of(input);
    }
    for (const RawTrace::Emission& emission : raw_.emissions) {
      if (emission.step == index) add(emission, input, made);
    }
    made.dropped_why = raw.dropped_why;
    made.result = result_of(raw, node, made);
    return made;
  }

  Row whole_row(const RawTrace::Emission& emission) const {
    Row row = row_of(emission);
    row.width = emission.width;
    return row;
  }

  static std::vector<TraceChange> values_of(const Row& row) {
    std::vector<TraceChange> values;
    for (std::size_t i = 0; i < row.width; ++i) {
      if (auto text = row.text(i)) {
        values.push_back({(*row.schema)[i].name, std::nullopt, std::move(text)});
      }
    }
    return values;
  }

  TraceResult result_of(const RawTrace::Step& raw, const Node& node, const TraceStep& made) const {
    if (made.reject) return TraceResult::kRejected;
    if (raw.dropped) return TraceResult::kDropped;
    if (node.kind == ComponentKind::kSink) return TraceResult::kWritten;
    if (node.kind == ComponentKind::kSource) return TraceResult::kRead;
    if (raw.from == RawTrace::kNone) return TraceResult::kMade;
    return made.outputs.empty() ? TraceResult::kKept : TraceResult::kPassed;
  }

  void add(const RawTrace::Emission& emission, const Row& input, TraceStep& step) const {
    if (emission.rejected) {
      const runtime::Reject& r = emission.reject;
      step.reject =
          TraceReject{std::string(r.code), std::string(r.field),      std::string(r.value),
                      std::string(r.rule), std::string(r.message_en), std::string(r.message_zh)};
    }
    TraceOutput output;
    output.streams = {node_of(emission).stream_name(emission.port)};
    compare(input, row_of(emission), output);
    for (TraceOutput& other : step.outputs) {
      if (same(other, output)) return other.streams.push_back(output.streams.front());
    }
    step.outputs.push_back(std::move(output));
  }

  static bool same(const TraceOutput& a, const TraceOutput& b) {
    return a.removed == b.removed &&
           std::equal(a.changes.begin(), a.changes.end(), b.changes.begin(), b.changes.end(),
                      [](const TraceChange& x, const TraceChange& y) {
                        return x.field == y.field && x.after == y.after;
                      });
  }

  static void compare(const Row& input, const Row& output, TraceOutput& into) {
    const auto field_of = [](const Row& row,
                             const std::string& name) -> std::optional<std::size_t> {
      const auto index = row.schema == nullptr ? std::nullopt : row.schema->index_of(name);
      return index && *index < row.width ? index : std::nullopt;
    };
    for (std::size_t i = 0; i < output.width; ++i) {
      const std::string& name = (*output.schema)[i].name;
      const auto from = field_of(input, name);
      auto before = from ? input.text(*from) : std::nullopt;
      auto after = output.text(i);
      if (before != after) into.changes.push_back({name, std::move(before), std::move(after)});
    }
    for (std::size_t i = 0; i < input.width; ++i) {
      const std::string& name = (*input.schema)[i].name;
      if (!field_of(output, name) && !input.values[i].is_null()) into.removed.push_back(name);
    }
  }

  const Topology& topology_;
  const RawTrace& raw_;
};

const TraceStep* find_result(const Trace& trace, TraceResult result) {
  const auto found = std::find_if(trace.steps.begin(), trace.steps.end(),
                                  [&](const TraceStep& step) { return step.result == result; });
  return found == trace.steps.end() ? nullptr : &*found;
}

}  // namespace

const TraceStep* Trace::rejecting_step() const {
  return find_result(*this, TraceResult::kRejected);
}
// A filter on a side branch says nothing of a record that went another way.
const TraceStep* Trace::dropping_step() const {
  if (find_result(*this, TraceResult::kWritten) != nullptr) return nullptr;
  return find_result(*this, TraceResult::kDropped);
}

const TraceStep* Trace::diverting_step() const {
  const auto leaves_by_main = [](const TraceStep& step) {
    return std::any_of(step.outputs.begin(), step.outputs.end(), [&](const TraceOutput& output) {
      return std::find(output.streams.begin(), output.streams.end(), step.node) !=
             output.streams.end();
    });
  };
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const TraceStep& step) {
    return step.decides_by_key && step.result == TraceResult::kPassed && !leaves_by_main(step);
  });
  return found == steps.end() ? nullptr : &*found;
}

Trace build_trace(const Topology& topology, const RawTrace& raw) {
  return Builder(topology, raw).build();
}

}  // namespace huiliu::service
