#include "runtime/engine/chains.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "runtime/base/check.h"
#include "runtime/base/failpoint.h"
#include "runtime/component/backend.h"
#include "runtime/component/failure.h"
#include "runtime/component/selection.h"
#include "runtime/engine/plumbing.h"
#include "runtime/topology/memory_shares.h"

namespace huiliu::runtime {

struct Chains::Instance {
  std::unique_ptr<Decoder> decoder;    // sources
  std::unique_ptr<Operator> op;        // operators
  std::unique_ptr<Outputs> outputs;    // sources and operators
  std::unique_ptr<Selector> selector;  // sources in a rejudgement
  std::unique_ptr<Context> context;
  std::vector<state::Table*> tables;
  std::int64_t watermark = kNoEventTime;  // that the operator knows
  std::int64_t held = kEndOfTime;         // that it has said
};

/// Gives what a node makes of its state its place.
class Chains::OrderOfState final : public StateOrder {
 public:
  /// `place` is that of the node and of what makes the records, on_watermark or on_epoch.
  OrderOfState(OrderCounter& counter, std::uint64_t place) : counter_(counter), place_(place) {
    counter_.begin(OrderKey::of_state(place_, 0, 0));
  }

  void begin(std::uint16_t shard, std::int64_t time) override {
    const OrderKey key = OrderKey::of_state(place_, time, shard);
    if (last_ && key <= *last_) {
      throw StatusError(Status::failed(
          "an operator makes records of its state in another order than that of time, then shard"));
    }
    last_ = key;
    counter_.begin(mutant("order.no_shard") ? OrderKey::of_state(place_, 0, 0) : key);
  }

 private:
  OrderCounter& counter_;
  std::uint64_t place_;
  std::optional<OrderKey> last_;
};

class Chains::Context final : public OperatorContext {
 public:
  Context(Chains& chains, std::size_t node)
      : chains_(chains), node_(chains.run_.topology->nodes[node]), index_(node) {}

  const std::string& node_name() const override { return node_.name; }

  Result<state::Table*> table(std::string_view name) override {
    const std::string full = fmt::format("{}.{}", node_.name, name);
    state::Table* table = nullptr;
    HUILIU_RETURN_IF_ERROR(retry(chains_.run_, full, [&] {
      auto opened = chains_.run_.backend->open_table(full, chains_.shards_);
      if (opened.is_ok()) table = opened.value();
      return opened.status();
    }));
    chains_.instances_[index_]->tables.push_back(table);
    return table;
  }

  std::uint16_t shard_of(std::uint64_t key_hash) const override {
    return shard_of_hash(key_hash, chains_.run_.topology->shards);
  }
  const std::vector<std::uint16_t>& shards() const override { return chains_.shards_; }
  Clock& clock() override { return chains_.clock_; }
  std::size_t row_slots() const override { return chains_.run_.plan->row_slots; }
  std::size_t piece_rows() const override { return chains_.run_.piece_rows; }
  std::uint64_t rejudgement() const override {
    return chains_.run_.selection == nullptr ? 0 : chains_.run_.selection->number();
  }
  std::uint64_t cache_bytes() const override {
    return memory_shares(*chains_.run_.topology).cache / chains_.run_.plan->parallelism;
  }

 private:
  Chains& chains_;
  const Node& node_;
  std::size_t index_;
};

Chains::Chains(RunContext& run, unsigned thread)
    : run_(run),
      thread_(thread),
      clock_(*run.clock),
      order_(run.plan->stages),
      held_(run.plan->stages, std::vector<std::int64_t>(run.topology->nodes.size(), kEndOfTime)),
      behind_(stateful_before(*run.topology)),
      row_(run.plan->row_slots),
      timer_(run.topology->nodes.size()) {
  for (std::uint16_t shard = 0; shard < run.topology->shards; ++shard) {
    if (run.plan->owners[shard] == thread) shards_.push_back(shard);
  }
}

Chains::~Chains() {
  for (auto& instance : instances_) {
    if (instance->op) instance->op->close();
  }
}

void Chains::make_instances() {
  const Topology& topology = *run_.topology;
  for (const Node& node : topology.nodes) {
    auto instance = std::make_unique<Instance>();
    if (node.kind != ComponentKind::kSink) {
      std::size_t ports = node.outputs.size() - (node.rejects ? 1 : 0);
      const std::size_t width = node.rejects
                                    ? node.outputs.back().schema.width() - kRejectFieldCount
                                    : node.outputs.front().schema.width();
      instance->outputs =
          std::make_unique<Outputs>(node.name, ports, static_cast<std::uint32_t>(width));
    }
    if (node.kind == ComponentKind::kSource) {
      DecoderContext context;
      context.row_slots = run_.plan->row_slots;
      context.event_time_field = node.source_declaration->event_time.field;
      instance->decoder = node.source->create_decoder(*node.source_declaration, context);
      if (run_.selection != nullptr) {
        const auto width = static_cast<std::uint32_t>(node.outputs.front().schema.width());
        instance->selector = std::make_unique<Selector>(*run_.selection, *instance->outputs, width);
      }
    } else if (node.kind == ComponentKind::kOperator) {
      instance->op =
          with_place(node.name, [&] { return node.op->create(*node.operator_declaration); });
    }
    instances_.push_back(std::move(instance));
  }
}

std::pair<Operator*, Outputs*> Chains::keep(std::unique_ptr<Operator> op, std::size_t ports,
                                            std::string_view node, std::size_t width) {
  plumbing_.emplace_back(std::move(op),
                         std::make_unique<Outputs>(node, ports, static_cast<std::uint32_t>(width)));
  return {plumbing_.back().first.get(), plumbing_.back().second.get()};
}

std::pair<Operator*, Outputs*> Chains::tap_of(const Edge& edge, std::size_t edge_index) {
  const Node& to = run_.topology->nodes[edge.to];
  const std::vector<Edge>& edges = run_.plan->edges;
  const auto same_sink = [&](const Edge& other) { return other.to == edge.to; };
  const bool one_of_several = std::count_if(edges.begin(), edges.end(), same_sink) > 1;
  // An outbox is cut between records.
  const bool keep_order =
      run_.plan->parallelism > 1 || one_of_several || to.sink->create_outbox_sink != nullptr;
  std::optional<RejectLayout> rejects;
  std::size_t width = 0;
  if (to.rejects) {
    const Schema& schema = to.outputs[to.reject_port()].schema;
    rejects.emplace(*to.sink_declaration->inputs[edge.input], schema, run_.plan->row_slots);
    width = schema.width() - kRejectFieldCount;
  }
  auto tap = std::make_unique<SinkTap>(
      edge.to, to.sink->create_encoder(*to.sink_declaration, edge.input), std::move(rejects),
      keep_order ? &order_[edge.stage] : nullptr, *run_.pool);
  taps_[edge_index].tap = tap.get();
  auto target = keep(std::move(tap), 0, to.name, width);
  taps_[edge_index].outputs = target.second;
  return target;
}

std::pair<Operator*, Outputs*> Chains::target_of(const Edge& edge) {
  const Topology& topology = *run_.topology;
  const Node& to = topology.nodes[edge.to];
  const std::size_t edge_index = static_cast<std::size_t>(&edge - run_.plan->edges.data());
  const Schema& schema = topology.nodes[edge.from.node].outputs[edge.from.port].schema;
  if (to.kind == ComponentKind::kSink) return tap_of(edge, edge_index);
  Instance& instance = *instances_[edge.to];
  KeyBuilder key;
  if (Plan::needs_key(to)) key = KeyBuilder(schema, to.operator_declaration->key_of(edge.input));
  if (edge.kind != EdgeKind::kFused) {
    auto sender = std::make_unique<ExchangeSender>(edge_index, thread_, *run_.plan,
                                                   edge.kind == EdgeKind::kKeyed, std::move(key),
                                                   order_[edge.stage], *run_.pool);
    senders_[edge_index] = sender.get();
    return keep(std::move(sender), 0);
  }
  if (!Plan::needs_key(to)) return {instance.op.get(), instance.outputs.get()};
  auto hasher = keep(std::make_unique<KeyHasher>(std::move(key)), 1);
  hasher.second->port(0).target = instance.op.get();
  hasher.second->port(0).target_outputs = instance.outputs.get();
  hasher.second->port(0).input = edge.input;
  return hasher;
}

void Chains::connect(Port& port, const std::vector<const Edge*>& edges) {
  if (edges.empty()) return;
  if (edges.size() == 1) {
    std::tie(port.target, port.target_outputs) = target_of(*edges.front());
    port.input = edges.front()->input;
    return;
  }
  std::vector<bool> only_looks;
  for (const Edge* edge : edges) {
    const bool sink = run_.topology->nodes[edge->to].kind == ComponentKind::kSink;
    only_looks.push_back(sink || edge->kind != EdgeKind::kFused);
  }
  auto [fan, outputs] =
      keep(std::make_unique<FanOut>(run_.plan->row_slots, std::move(only_looks)), edges.size());
  for (std::size_t i = 0; i < edges.size(); ++i) {
    Port& branch = outputs->port(i);
    std::tie(branch.target, branch.target_outputs) = target_of(*edges[i]);
    branch.input = edges[i]->input;
  }
  port.target = fan;
  port.target_outputs = outputs;
}

void Chains::wire() {
  const Plan& plan = *run_.plan;
  senders_.assign(plan.edges.size(), nullptr);
  taps_.assign(plan.edges.size(), {});
  for (std::size_t n = 0; n < instances_.size(); ++n) {
    const Node& node = run_.topology->nodes[n];
    if (node.kind == ComponentKind::kSink) {
      wire_sink(n);
      continue;
    }
    for (std::size_t p = 0; p < node.outputs.size(); ++p) {
      std::vector<const Edge*> edges;
      for (const Edge& edge : plan.edges) {
        if (edge.from == StreamRef{n, p}) edges.push_back(&edge);
      }
      Outputs& outputs = *instances_[n]->outputs;
      const bool reject = node.rejects && p == node.reject_port();
      connect(reject ? outputs.reject_port() : outputs.port(p), edges);
    }
  }
}

// Its inputs come first in the order of nodes, so its taps are there.
void Chains::wire_sink(std::size_t node) {
  const std::vector<Edge>& edges = run_.plan->edges;
  for (std::size_t tap = 0; tap < edges.size(); ++tap) {
    if (edges[tap].to != node) continue;
    std::vector<const Edge*> readers;
    for (const Edge& edge : edges) {
      if (edge.tap == tap) readers.push_back(&edge);
    }
    connect(taps_[tap].outputs->reject_port(), readers);
  }
}

// What stands between two nodes is not made known: it is the engine's.
void Chains::introduce_nodes() {
  for (std::size_t n = 0; n < instances_.size(); ++n) {
    if (instances_[n]->outputs) timer_.knows(*instances_[n]->outputs, n);
  }
  for (std::size_t e = 0; e < taps_.size(); ++e) {
    if (taps_[e].tap) timer_.knows(*taps_[e].outputs, run_.plan->edges[e].to);
  }
}

Status Chains::open() {
  make_instances();
  wire();
  introduce_nodes();
  std::size_t n = 0;
  try {
    for (; n < instances_.size(); ++n) {
      Instance& instance = *instances_[n];
      if (!instance.op) continue;
      instance.context = std::make_unique<Context>(*this, n);
      HUILIU_RETURN_IF_ERROR(instance.op->open(*instance.context));
    }
  } catch (const ConfigError& error) {
    return Status::fatal(error.what());
  } catch (...) {
    rethrow_with_place(run_.topology->nodes[n].name, {});
  }
  return Status::ok();
}

void Chains::decode(std::size_t source_node, const Slice& slice) {
  Instance& instance = *instances_[source_node];
  const bool all = !instance.selector || slice.whole;
  const Node& node = run_.topology->nodes[source_node];
  const SourceDeclaration& declared = *node.source_declaration;
  // The engine's own repartition source is not checked: the worker that read the record first has
  // done it.
  if (declared.event_time.field >= 0 && !node.internal) {
    const auto field = static_cast<std::size_t>(declared.event_time.field);
    instance.outputs->bound_event_time(clock_.now_ms() + declared.event_time.ahead_ms,
                                       declared.output[field].name);
  }
  const SelfTimer::Visit visit(timer_, source_node);
  with_place(node.name, [&] {
    instance.decoder->decode(slice, all ? *instance.outputs : instance.selector->outputs());
  });
}

void Chains::receive(const ExchangePart& part, std::size_t row, const Value* values) {
  const ExchangePart::Row& head = part.rows[row];
  std::copy_n(values, head.width, row_.data());
  Record record;
  record.values = row_.data();
  record.width = head.width;
  if (!mutant("exchange.change_lost")) record.change = head.change;
  record.event_time = head.event_time;
  record.id = head.id;
  record.key_hash = head.key_hash;
  record.origin = head.origin;
  const Edge& edge = run_.plan->edges[part.edge];
  order_[run_.plan->stage[edge.to]].begin(head.order);
  Instance& target = *instances_[edge.to];
  target.outputs->received(record);
  const SelfTimer::Visit visit(timer_, edge.to);
  try {
    target.op->process(edge.input, record, *target.outputs);
  } catch (...) {
    rethrow_with_place(target.outputs->node(), record.origin);
  }
}

void Chains::expect(const ExchangePart& part, std::size_t row) {
  instances_[run_.plan->edges[part.edge].to]->op->expect(part.rows[row].key_hash);
}

// Node by node, so that each sees what its predecessors make of this slice before its own turn,
// however many stages the plan has.
void Chains::end_slice(std::size_t stage, const std::vector<std::int64_t>& watermarks,
                       const SliceInfo& slice, bool ends_epoch) {
  for (std::size_t n = 0; n < instances_.size(); ++n) {
    const Node& node = run_.topology->nodes[n];
    if (run_.plan->stage[n] != stage || !Plan::needs_key(node)) continue;
    Outputs& outputs = *instances_[n]->outputs;
    const bool keyed = !node.operator_declaration->key_fields.empty();
    const auto run = [&](std::uint64_t phase, const auto& call) {
      OrderOfState order(order_[stage], 2 * n + phase);
      const SelfTimer::Visit visit(timer_, n);
      outputs.set_state_order(&order, keyed);
      with_place(outputs.node(), call);
      outputs.set_state_order(nullptr, keyed);
    };
    Instance& instance = *instances_[n];
    Operator& op = *instance.op;
    const std::int64_t watermark = watermark_of(stage, n, watermarks[n]);
    const bool more = instance.held != kEndOfTime && slice.brings_pieces;
    if (watermark > instance.watermark || more) {
      instance.watermark = std::max(watermark, instance.watermark);
      run(0, [&] { op.on_watermark(instance.watermark, outputs); });
      note_held(stage, n);
    }
    if (ends_epoch) run(1, [&] { op.on_epoch(outputs); });
  }
}

void Chains::note_held(std::size_t stage, std::size_t node) {
  Instance& instance = *instances_[node];
  const std::int64_t before = std::exchange(instance.held, instance.op->held_time());
  held_[stage][node] = instance.held;
  if (before == kEndOfTime && instance.held != kEndOfTime) run_.flow.holding.fetch_add(1);
  if (before != kEndOfTime && instance.held == kEndOfTime) run_.flow.holding.fetch_sub(1);
}

void Chains::hold_back(std::size_t stage, const std::vector<Held>& held) {
  std::vector<std::int64_t>& known = held_[stage];
  for (std::size_t n = 0; n < known.size(); ++n) {
    if (run_.plan->stage[n] < stage) known[n] = kEndOfTime;
  }
  for (const Held& one : held) known[one.node] = std::min(known[one.node], one.time);
}

// What a node before it has yet to make may come with the next slice.
std::int64_t Chains::watermark_of(std::size_t stage, std::size_t node,
                                  std::int64_t of_sources) const {
  if (mutant("windows.held_ignored")) return of_sources;
  for (const std::size_t before : behind_[node]) {
    of_sources = std::min(of_sources, held_[stage][before]);
  }
  return of_sources;
}

std::vector<Held> Chains::held(std::size_t stage) const {
  std::vector<Held> held;
  for (std::size_t n = 0; n < held_[stage].size(); ++n) {
    if (held_[stage][n] != kEndOfTime) held.push_back({n, held_[stage][n]});
  }
  return held;
}

std::vector<std::shared_ptr<void>> Chains::freeze(std::size_t stage, std::uint64_t epoch) {
  std::vector<std::shared_ptr<void>> changes;
  for (std::size_t n = 0; n < instances_.size(); ++n) {
    if (run_.plan->stage[n] != stage) continue;
    for (state::Table* table : instances_[n]->tables) {
      changes.push_back(run_.backend->freeze(*table, epoch));
    }
  }
  return changes;
}

void Chains::set_memory(std::size_t stage, const std::shared_ptr<SliceMemory>& memory) {
  for (std::size_t n = 0; n < instances_.size(); ++n) {
    if (run_.plan->stage[n] == stage && instances_[n]->outputs) {
      instances_[n]->outputs->set_arena(&memory->arena);
      if (instances_[n]->selector) instances_[n]->selector->outputs().set_arena(&memory->arena);
    }
  }
  for (std::size_t e = 0; e < taps_.size(); ++e) {
    if (taps_[e].tap && run_.plan->edges[e].stage == stage) {
      taps_[e].outputs->set_arena(&memory->arena);
    }
  }
  hold_memory(stage, memory);
}

void Chains::hold_memory(std::size_t stage, const std::shared_ptr<SliceMemory>& memory) {
  for (std::size_t e = 0; e < senders_.size(); ++e) {
    if (senders_[e] && run_.plan->edges[e].stage == stage) {
      senders_[e]->add_memory(memory);
    }
  }
}

std::int64_t Chains::take_max_event_time(std::size_t source_node) {
  return instances_[source_node]->outputs->take_max_event_time();
}

std::vector<Chains::Outgoing> Chains::take_parts(std::size_t stage) {
  std::vector<Outgoing> outgoing;
  for (std::size_t e = 0; e < senders_.size(); ++e) {
    if (!senders_[e] || run_.plan->edges[e].stage != stage) continue;
    std::vector<ExchangePart> parts = senders_[e]->take();
    for (unsigned receiver = 0; receiver < parts.size(); ++receiver) {
      outgoing.push_back({e, receiver, std::move(parts[receiver])});
    }
  }
  return outgoing;
}

std::vector<SinkPart> Chains::take_sinks(std::size_t stage) {
  std::vector<SinkPart> parts;
  for (std::size_t e = 0; e < taps_.size(); ++e) {
    if (!taps_[e].tap || run_.plan->edges[e].stage != stage) continue;
    SinkPart part = taps_[e].tap->take();
    if (part.records > 0) parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<NodeCounts> Chains::take_counts(std::size_t stage) {
  std::vector<NodeCounts> counts;
  for (std::size_t n = 0; n < instances_.size(); ++n) {
    Instance& instance = *instances_[n];
    if (instance.outputs && run_.plan->stage[n] == stage) {
      counts.push_back({n, instance.outputs->take_counts()});
    }
  }
  for (std::size_t e = 0; e < taps_.size(); ++e) {
    if (!taps_[e].tap || run_.plan->edges[e].stage != stage) continue;
    Outputs::Counts taken = taps_[e].outputs->take_counts();
    if (taken.received.count > 0) counts.push_back({run_.plan->edges[e].to, std::move(taken)});
  }
  return counts;
}

void Chains::set_tracer(Tracer* tracer) {
  traced_ = tracer != nullptr;
  set_tracers(tracer);
}

void Chains::start_timing() {
  if (traced_) return;
  set_tracers(&timer_);
  timer_.start();
}

std::vector<std::int64_t> Chains::stop_timing() {
  if (!timer_.runs()) return {};
  set_tracers(nullptr);
  return timer_.stop();
}

void Chains::set_tracers(Tracer* tracer) {
  for (auto& instance : instances_) {
    if (instance->outputs) instance->outputs->set_tracer(tracer);
  }
  for (auto& [op, outputs] : plumbing_) outputs->set_tracer(tracer);
}

}  // namespace huiliu::runtime
