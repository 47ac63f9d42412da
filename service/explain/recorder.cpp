#include "service/explain/recorder.h"

#include <algorithm>

#include "runtime/record/value_text.h"

namespace huiliu::service {

using runtime::Node;
using runtime::Origin;
using runtime::Outputs;
using runtime::Record;
using runtime::Reject;
using runtime::Value;

Recorder::Recorder(const runtime::Topology& topology, const Question& question)
    : topology_(topology), question_(question) {
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    nodes_.emplace(node.name, n);
    by_key_.push_back(node.operator_declaration && !node.operator_declaration->key_fields.empty());
    auto& ports = wanted_.emplace_back(node.outputs.size());
    for (std::size_t port = 0; port < node.outputs.size(); ++port) {
      const runtime::Schema& schema = node.outputs[port].schema;
      for (std::size_t i = 0; i < question.values.size(); ++i) {
        const auto field = schema.index_of(question.values[i].field);
        if (field) ports[port].push_back({i, *field, schema[*field].type});
      }
    }
  }
}

std::size_t Recorder::node_of(const Outputs& outputs) {
  const auto known = node_of_.find(&outputs);
  if (known != node_of_.end()) return known->second;
  const auto found = nodes_.find(outputs.node());
  const std::size_t node = found == nodes_.end() ? kPlumbing : found->second;
  node_of_.emplace(&outputs, node);
  return node;
}

// A hash of 64 bits stands for the key: two keys in one topology share it about never.
std::uint64_t Recorder::holder_key(std::size_t node, const Record& record) const {
  return record.key_hash ^ ((node + 1) * 0x9E3779B97F4A7C15ull);
}

void Recorder::count(const Origin& origin) {
  if (counted_name_ != origin.partition) {
    counted_name_ = origin.partition;
    counted_ = &files_[*origin.partition];
  }
  ReadRows& file = *counted_;
  ++file.rows;
  if (file.first == 0) file.first = origin.offset;
  file.last = std::max(file.last, origin.offset);
  if (!question_.row) return;
  const auto distance = [this](std::uint64_t row) {
    const std::uint64_t asked = question_.row->row;
    return row < asked ? asked - row : row - asked;
  };
  if (file.nearest == 0 || distance(origin.offset) < distance(file.nearest)) {
    file.nearest = origin.offset;
  }
}

bool Recorder::asks_for(const Origin& origin) const {
  if (question_.row) {
    return origin.offset == question_.row->row &&
           means_file(question_.row->file, *origin.partition);
  }
  return std::any_of(question_.origins.begin(), question_.origins.end(),
                     [&](const TraceOrigin& asked) {
                       return asked.row == origin.offset && asked.file == *origin.partition;
                     });
}

void Recorder::begin(std::size_t node, const Record& record) {
  const bool read = topology_.nodes[node].kind == runtime::ComponentKind::kSource;
  raw_.origin = record.origin;
  if (read && record.origin.partition != nullptr) count(record.origin);
  recording_ = !full();
  if (recording_ && question_.values.empty()) {
    recording_ = read && record.origin.partition != nullptr && asks_for(record.origin);
  }
  if (!recording_) return;
  holds_.assign(question_.values.size(), false);
  raw_.steps.push_back({.node = node});
}

/// All of the record's text is still there, since the call that sent it has not returned.
void Recorder::end() {
  const bool asked = recording_ && std::find(holds_.begin(), holds_.end(), false) == holds_.end();
  if (asked) found_.push_back(build_trace(topology_, raw_));
  recording_ = false;
  raw_.steps.clear();
  raw_.emissions.clear();
  raw_.values.clear();
  raw_.origins.clear();
}

void Recorder::enter(const Outputs& to, const Record& record) {
  const std::size_t node = node_of(to);
  ++depth_;
  if (node == kPlumbing) return;
  if (!recording_) {
    stack_.push_back(0);
    return;
  }
  RawTrace::Step step{.node = node};
  const std::size_t parent = stack_.empty() ? 0 : stack_.back();
  // The last emission of the operator that is under way: everything behind it is done already.
  for (std::size_t i = raw_.emissions.size(); i-- > 0 && step.from == RawTrace::kNone;) {
    if (raw_.emissions[i].step == parent) step.from = i;
  }
  if (by_key_[node]) {
    const auto holder = holders_.find(holder_key(node, record));
    if (holder != holders_.end()) step.earlier = holder->second;
  }
  stack_.push_back(raw_.steps.size());
  raw_.steps.push_back(step);
}

void Recorder::leave(const Outputs& to) {
  if (node_of(to) != kPlumbing) stack_.pop_back();
  if (--depth_ == 0) end();
}

void Recorder::emitted(const Outputs& from, std::size_t port, const Record& record) {
  const std::size_t node = node_of(from);
  if (node == kPlumbing) return;
  const bool is_root = depth_ == 0;
  if (is_root) {
    begin(node, record);
  } else if (port == 0 && by_key_[node] && record.origin.partition != nullptr) {
    holders_[holder_key(node, record)] = record.origin;
  }
  if (recording_) add_emission(node, port, record, nullptr);
  if (is_root && !from.is_read(port)) end();
}

void Recorder::rejected(const Outputs& from, const Record& record, const Reject& reject) {
  const std::size_t node = node_of(from);
  if (node == kPlumbing) return;
  if (depth_ == 0) begin(node, record);
  if (recording_) add_emission(node, topology_.nodes[node].reject_port(), record, &reject);
}

void Recorder::dropped(const Outputs& from, const Record&, std::string_view why) {
  if (!recording_ || stack_.empty() || node_of(from) == kPlumbing) return;
  RawTrace::Step& step = raw_.steps[stack_.back()];
  step.dropped = true;
  step.dropped_why = why;
}

void Recorder::add_emission(std::size_t node, std::size_t port, const Record& record,
                            const Reject* reject) {
  const runtime::Schema& schema = topology_.nodes[node].outputs[port].schema;
  RawTrace::Emission emission;
  emission.step = stack_.empty() ? 0 : stack_.back();
  emission.port = port;
  emission.values = raw_.values.size();
  emission.width = schema.width();
  emission.rejected = reject != nullptr;
  const std::size_t own = schema.width() - (reject != nullptr ? runtime::kRejectFieldCount : 0);
  raw_.values.insert(raw_.values.end(), record.values, record.values + own);
  if (reject != nullptr) {
    emission.reject = *reject;
    const std::string& origin = raw_.origins.emplace_back(runtime::origin_text(record.origin));
    for (const std::string_view text :
         runtime::texts_of(*reject, topology_.nodes[node].name, origin)) {
      raw_.values.push_back(Value::of_text(text));
    }
  }
  match(node, port, emission);
  raw_.emissions.push_back(emission);
}

void Recorder::match(std::size_t node, std::size_t port, const RawTrace::Emission& emission) {
  for (const Wanted& wanted : wanted_[node][port]) {
    if (holds_[wanted.condition]) continue;
    const Value& value = raw_.values[emission.values + wanted.field];
    holds_[wanted.condition] = runtime::value_text(wanted.type, value, scratch_) ==
                               question_.values[wanted.condition].value;
  }
}

}  // namespace huiliu::service
