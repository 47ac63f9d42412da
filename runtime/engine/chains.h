#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/component/operator.h"
#include "runtime/engine/messages.h"
#include "runtime/engine/run_context.h"
#include "runtime/engine/self_timer.h"
#include "runtime/record/key.h"
#include "runtime/topology/plan.h"

namespace huiliu::runtime {

class ExchangeSender;
class SinkTap;

/// All operator instances of one thread, wired by the plan. Belongs to that thread.
class Chains {
 public:
  Chains(RunContext& run, unsigned thread);
  ~Chains();

  /// Makes and opens every instance.
  Status open();

  /// Stage 0: decodes the slice into the chains. Call begin_slice(0) before.
  void decode(std::size_t source_node, const Slice& slice);
  /// Later stages: replays a part's row into its target.
  void receive(const ExchangePart& part, std::size_t row, const Value* values);
  /// The part's row is one of the next that its target receives.
  void expect(const ExchangePart& part, std::size_t row);
  /// What stages before this one hold back, on any thread, behind the slice.
  void hold_back(std::size_t stage, const std::vector<Held>& held);
  /// The stage has all records of the slice: runs on_watermark of its operators, where it has
  /// changed or where there is more to make, and on_epoch, if an epoch ends. `watermarks` by node,
  /// which hold as far as nothing before the node is held back.
  void end_slice(std::size_t stage, const std::vector<std::int64_t>& watermarks,
                 const SliceInfo& slice, bool ends_epoch);
  /// What this stage, on this thread, and those before it hold back behind the slice.
  std::vector<Held> held(std::size_t stage) const;
  /// Freezes the stage's tables.
  std::vector<std::shared_ptr<void>> freeze(std::size_t stage, std::uint64_t epoch);

  /// A slice reaches the stage. Its operators' clock says `now_ms` until the next one does.
  void begin_slice(std::size_t stage, std::int64_t now_ms) {
    order_[stage].begin_slice();
    clock_.set(now_ms);
  }
  /// Memory for text that the stage's operators make.
  void set_memory(std::size_t stage, const std::shared_ptr<SliceMemory>& memory);
  /// Keeps memory alive that records of the stage point into, as long as they travel.
  void hold_memory(std::size_t stage, const std::shared_ptr<SliceMemory>& memory);
  /// Latest event time that the source emitted since the last call.
  std::int64_t take_max_event_time(std::size_t source_node);
  /// Parts for every receiver of every exchange edge that leaves the stage.
  struct Outgoing {
    std::size_t edge;
    unsigned receiver;
    ExchangePart part;
  };
  std::vector<Outgoing> take_parts(std::size_t stage);
  std::vector<SinkPart> take_sinks(std::size_t stage);
  std::vector<NodeCounts> take_counts(std::size_t stage);
  /// Call after open().
  void set_tracer(Tracer* tracer);
  /// Measures what is done from now on, unless a tracer was set.
  void start_timing();
  /// Ends that: nanoseconds by node, then the engine's; empty if nothing was measured.
  std::vector<std::int64_t> stop_timing();

 private:
  struct Instance;
  class Context;
  class OrderOfState;

  void introduce_nodes();
  void set_tracers(Tracer* tracer);
  void note_held(std::size_t stage, std::size_t node);
  std::int64_t watermark_of(std::size_t stage, std::size_t node, std::int64_t of_sources) const;
  void make_instances();
  void wire();
  void connect(Port& port, const std::vector<const Edge*>& edges);
  std::pair<Operator*, Outputs*> target_of(const Edge& edge);
  std::pair<Operator*, Outputs*> tap_of(const Edge& edge, std::size_t edge_index);
  void wire_sink(std::size_t node);
  std::pair<Operator*, Outputs*> keep(std::unique_ptr<Operator> op, std::size_t ports,
                                      std::string_view node = {}, std::size_t width = 0);

  /// The time that the sequencer stamped into the slice: the same on all threads.
  class SliceClock final : public Clock {
   public:
    explicit SliceClock(Clock& machine) : machine_(machine), now_ms_(machine.now_ms()) {}
    void set(std::int64_t now_ms) { now_ms_ = now_ms; }
    std::int64_t now_ms() override { return now_ms_; }
    std::int64_t steady_ms() override { return machine_.steady_ms(); }

   private:
    Clock& machine_;
    std::int64_t now_ms_;
  };

  RunContext& run_;
  unsigned thread_;
  SliceClock clock_;
  std::vector<std::uint16_t> shards_;                 // of this thread
  std::vector<std::unique_ptr<Instance>> instances_;  // per node
  std::deque<std::pair<std::unique_ptr<Operator>, std::unique_ptr<Outputs>>> plumbing_;
  std::vector<OrderCounter> order_;       // per stage
  std::vector<ExchangeSender*> senders_;  // per edge, null if none
  struct Tap {
    SinkTap* tap = nullptr;
    Outputs* outputs = nullptr;  // counts what reaches the sink this way
  };
  // Per node: what it holds back; of nodes of earlier stages as their parts of the slice have said.
  std::vector<std::vector<std::int64_t>> held_;   // per stage
  std::vector<std::vector<std::size_t>> behind_;  // per node: keyed ones whose records reach it
  std::vector<Tap> taps_;                         // per edge, null if it does not lead into a sink
  std::vector<Value> row_;
  SelfTimer timer_;
  bool traced_ = false;
};

}  // namespace huiliu::runtime
