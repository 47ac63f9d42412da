#include "runtime/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/engine/caught.h"

namespace huiliu::runtime {

Engine::Engine(const Topology& topology, unsigned parallelism, Backend& backend, Clock& clock)
    : plan_(make_plan(topology, parallelism)) {
  const auto owned = backend.owned_shards();
  if (!owned.empty()) plan_.keep_shards(owned);
  run_.topology = &topology;
  run_.plan = &plan_;
  run_.backend = &backend;
  run_.clock = &clock;
  run_.flow.window = (4 + 4 * parallelism) * backend.pacing().window_factor;
  run_.wait = [this](std::int64_t ms) {
    const std::int64_t until = run_.clock->steady_ms() + ms;
    while (!run_.end.ending() && run_.clock->steady_ms() < until) {
      run_.bell.wait(run_.bell.rings(), until - run_.clock->steady_ms());
    }
    return !run_.end.ending();
  };
  run_.is_delivered = [this](std::size_t sink) {
    if (committer_->committed_epoch() != run_.backend->last_epoch()) return false;
    return std::ranges::all_of(deliveries_, [sink](const auto& delivery) {
      return delivery->node() != sink || delivery->drained();
    });
  };
  run_.is_outbox_full = [this](std::size_t sink) { return committer_->is_outbox_full(sink); };
  sequencer_ = std::make_unique<Sequencer>(run_);
  timeline_ = std::make_unique<Timeline>(topology, owned);
  committer_ = std::make_unique<Committer>(run_);
  committer_->on_committed([this](std::uint32_t source, const std::vector<PositionChange>& read) {
    sequencer_->committed(source, read);
  });
  std::vector<EngineThread*> peers;
  for (unsigned thread = 0; thread < parallelism; ++thread) {
    threads_.push_back(
        std::make_unique<EngineThread>(run_, *sequencer_, *timeline_, *committer_, thread));
    peers.push_back(threads_.back().get());
  }
  for (auto& thread : threads_) thread->set_peers(peers);
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    if (node.kind == ComponentKind::kSink && node.sink->create_outbox_sink) {
      deliveries_.push_back(std::make_unique<Delivery>(run_, *committer_, n));
    }
  }
}

Engine::~Engine() = default;

Status Engine::open() {
  return caught([this] { return open_parts(); });
}

Status Engine::open_parts() {
  if (Status status = committer_->open(); !status.is_ok()) return status;
  for (auto& delivery : deliveries_) {
    if (Status status = delivery->open(); !status.is_ok()) return status;
  }
  for (auto& thread : threads_) {
    if (Status status = thread->open(); !status.is_ok()) return status;
  }
  if (Status status = run_.backend->opened(); !status.is_ok()) return status;
  return sequencer_->open(run_.backend->last_epoch() + 1);
}

Status Engine::run(const std::function<void(const EngineProgress&)>& tick, std::int64_t tick_ms) {
  {
    std::vector<std::jthread> threads;
    const auto start = [&](auto& part) {
      threads.emplace_back([this, &part] {
        Status status = caught([&part] {
          part.run();
          return Status::ok();
        });
        if (!status.is_ok()) run_.end.fail(std::move(status));
      });
    };
    sequencer_->start();  // before anybody pulls: one thread at a time reads
    for (auto& thread : threads_) start(*thread);
    start(*committer_);
    for (auto& delivery : deliveries_) start(*delivery);
    auto next = std::chrono::steady_clock::now();
    OperatorState told;
    while (!done() || delivers_rest()) {
      const std::uint64_t seen = run_.bell.rings();
      // Who asked for a pause waits for the word that it is in force.
      const OperatorState now = asked();
      if (tick && (std::chrono::steady_clock::now() >= next || now != told)) {
        told = now;
        tick(progress());
        next = std::chrono::steady_clock::now() + std::chrono::milliseconds(tick_ms);
      }
      // A delivery rings when it is a step further: a store that is slow is not waited for in a
      // loop.
      if (!done() || delivers_rest()) run_.bell.wait(seen, 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(done() ? 0 : 10));
    }
  }
  sequencer_->stop();
  if (tick) tick(progress());
  return caught([this] { return finish(); });
}

bool Engine::step(std::uint64_t choice) {
  const std::size_t parts = threads_.size() + 1 + deliveries_.size();
  const std::size_t part = choice % parts;
  if (part < threads_.size()) return threads_[part]->step();
  if (part == threads_.size()) return committer_->step();
  return deliveries_[part - threads_.size() - 1]->step();
}

Status Engine::finish() {
  if (Status failure = run_.end.failure(); !failure.is_ok()) return failure;
  HUILIU_RETURN_IF_ERROR(deliver_rest());
  HUILIU_RETURN_IF_ERROR(committer_->save_deliveries());
  if (Status failure = run_.end.failure(); !failure.is_ok()) return failure;
  return delivers_all(run_) && run_.end.input_ended ? committer_->finish()
                                                    : committer_->settle(true);
}

Status Engine::deliver_rest() {
  if (!delivers_all(run_)) return Status::ok();
  for (auto& delivery : deliveries_) {
    // Asked to stop, it leaves the rest to the next start: the store may be away.
    while (!delivery->drained() && !run_.end.stop && run_.end.failure().is_ok()) delivery->step();
    if (!delivery->drained() || !run_.end.input_ended) continue;
    if (Status status = delivery->finish(); !status.is_ok()) return status;
  }
  return run_.end.failure();
}

bool Engine::everything_delivered() const {
  return std::all_of(deliveries_.begin(), deliveries_.end(),
                     [](const auto& delivery) { return delivery->drained(); });
}

bool Engine::delivers_rest() const {
  if (!run_.end.finished || run_.end.abandon || run_.end.stop) return false;
  return delivers_all(run_) && !everything_delivered();
}

void Engine::rejudge(const Selection& selection) {
  run_.selection = &selection;
  timeline_->stand_still();
}

void Engine::trace(Tracer& tracer) { threads_.front()->chains().set_tracer(&tracer); }

void Engine::stop() {
  run_.end.stop = true;
  run_.bell.ring();
}

void Engine::pause() {
  run_.requests.ask_pause(true);
  run_.bell.ring();
}

void Engine::resume() {
  run_.requests.ask_pause(false);
  run_.bell.ring();
}

void Engine::drain() {
  run_.requests.drain = true;
  run_.bell.ring();
}

OperatorState Engine::asked() { return run_.requests.state(committer_->committed_epoch()); }

Result<std::uint64_t> Engine::snapshot(const std::string& folder, const std::string& name,
                                       const std::function<bool()>& interrupted) {
  Result<std::uint64_t> epoch = Status::failed("no snapshot was made");
  const Status status = caught([&] {
    epoch = run_.backend->snapshot({.folder = folder + "/" + name,
                                    .name = name,
                                    .topology = run_.topology->id,
                                    .shards = run_.topology->shards,
                                    .interrupted = interrupted});
    return Status::ok();
  });
  return status.is_ok() ? std::move(epoch) : status;
}

bool Engine::drained() {
  return run_.requests.drain && run_.end.finished && !run_.end.stop && everything_delivered() &&
         run_.end.failure().is_ok();
}

EngineProgress Engine::progress() {
  EngineProgress progress;
  std::tie(progress.bytes_done, progress.bytes_all) = sequencer_->progress();
  Committer::Progress committed = committer_->progress();
  progress.epoch = committed.epoch;
  progress.totals = std::move(committed.totals);
  progress.figures = std::move(committed.figures);
  progress.source_figures = sequencer_->figures();
  progress.sink_figures = std::move(committed.sink_figures);
  for (const auto& delivery : deliveries_) {
    for (Figure& figure : delivery->figures()) progress.source_figures.push_back(std::move(figure));
  }
  for (const auto& thread : threads_) progress.threads.push_back(thread->figures());
  progress.uncommitted_bytes = run_.flow.uncommitted_bytes;
  progress.away = run_.health.away();
  progress.retries = run_.health.retries();
  progress.outbox_records = committer_->outbox_records();
  progress.asked = asked();
  for (const auto& delivery : deliveries_) {
    if (delivery->drained()) continue;
    progress.delivering.push_back(run_.topology->nodes[delivery->node()].name);
  }
  return progress;
}

}  // namespace huiliu::runtime
