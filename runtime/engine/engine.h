#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "runtime/component/backend.h"
#include "runtime/engine/committer.h"
#include "runtime/engine/delivery.h"
#include "runtime/engine/engine_thread.h"
#include "runtime/engine/run_context.h"
#include "runtime/engine/sequencer.h"
#include "runtime/engine/timeline.h"

namespace huiliu::runtime {

struct EngineProgress {
  std::uint64_t epoch = 0;
  std::uint64_t bytes_done = 0, bytes_all = 0;
  std::uint64_t outbox_records = 0;
  std::vector<Ledger::Totals> totals;                       ///< per node, committed
  std::shared_ptr<const RunFigures> figures;                ///< null before the first commit
  std::shared_ptr<const std::vector<Figure>> sink_figures;  ///< null before the sinks are open
  std::vector<Figure> source_figures;  ///< what readers and delivering sinks say of themselves
  std::vector<ThreadFigures> threads;
  std::uint64_t uncommitted_bytes = 0;           ///< read, which a crash now would have read again
  std::map<std::string, Away> away;              ///< component → why it cannot do its work
  std::map<std::string, std::uint64_t> retries;  ///< component → how often it was tried again
  OperatorState asked;                           ///< by an operator
  std::vector<std::string> delivering;  ///< store sinks that have not applied all that is committed
};

/// Runs a topology: opens everything at the last committed epoch, then either with threads (run) or
/// a step at a time in one thread (step), until bounded input ends or stop() is called.
class Engine {
 public:
  Engine(const Topology& topology, unsigned parallelism, Backend& backend, Clock& clock);
  ~Engine();

  /// Call before open(): the run judges the selected rows again and reads nothing else. Every
  /// source must have a rereader.
  void rejudge(const Selection& selection);
  Status open();
  /// Blocks. `tick` is called about every `tick_ms` on the calling thread.
  Status run(const std::function<void(const EngineProgress&)>& tick = {},
             std::int64_t tick_ms = 500);
  /// Simulation: steps one part, chosen by `choice`; false if that part had nothing to do.
  bool step(std::uint64_t choice);
  bool done() const { return run_.end.finished || run_.end.abandon; }
  /// After stepping to the end: finishes sinks.
  Status finish();

  /// Commits what was begun and ends. Thread- and signal-safe enough for a signal-waiting thread.
  void stop();
  /// Any thread: takes no more from outside sources until resume(). What was read is committed;
  /// then asked() says with which epoch.
  void pause();
  void resume();
  /// Any thread: reads no more, commits what was begun, delivers all that is committed, and ends.
  void drain();
  OperatorState asked();
  /// Any thread while run() runs: Backend::snapshot() of this topology, `name` below `folder`.
  Result<std::uint64_t> snapshot(const std::string& folder, const std::string& name,
                                 const std::function<bool()>& interrupted);
  /// After run(): it ended because drain() was called, and nothing waits any more.
  bool drained();
  EngineProgress progress();
  const Plan& plan() const { return plan_; }
  /// Before open(): how to wait; false if the topology is to end instead. For simulations, whose
  /// time does not pass by itself.
  void set_wait(std::function<bool(std::int64_t ms)> wait) { run_.wait = std::move(wait); }
  /// Before open(): the aim of a slice's size. Tiny ones let a small test pass every border that a
  /// large input has.
  void set_slice_bytes(std::size_t bytes) { run_.slice_bytes = bytes; }
  /// Before open(): how many records an operator makes of one shard's state in one slice. Tests.
  void set_piece_rows(std::size_t rows) { run_.piece_rows = rows; }
  /// After open(), with one thread: shows `tracer` what passes the operators.
  void trace(Tracer& tracer);
  bool ending() const { return run_.end.ending(); }
  bool input_ended() const { return run_.end.input_ended; }
  /// Ok as long as nothing has gone wrong.
  Status failure() { return run_.end.failure(); }
  /// After the end.
  const Unread& unread() const { return run_.unread; }

 private:
  Status deliver_rest();
  Status open_parts();
  /// The last epoch is committed, and stores have to apply what is left.
  bool delivers_rest() const;
  bool everything_delivered() const;
  Plan plan_;
  RunContext run_;
  std::unique_ptr<Sequencer> sequencer_;
  std::unique_ptr<Timeline> timeline_;
  std::unique_ptr<Committer> committer_;
  std::vector<std::unique_ptr<EngineThread>> threads_;
  std::vector<std::unique_ptr<Delivery>> deliveries_;
};

}  // namespace huiliu::runtime
