#include "runtime/engine/engine.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "runtime/base/failpoint.h"

namespace huiliu::runtime {

Engine::Engine(const Topology& topology, unsigned parallelism, Backend& backend, Clock& clock)
    : plan_(make_plan(topology, parallelism)) {
  const auto owned = backend.owned_shards();
  if (!owned.empty()) plan_.keep_shards(owned);
  shared_.topology = &topology;
  shared_.plan = &plan_;
  shared_.backend = &backend;
  shared_.clock = &clock;
  shared_.window = (4 + 4 * parallelism) * backend.pacing().window_factor;
  shared_.wait = [this](std::int64_t ms) {
    const std::int64_t until = shared_.clock->steady_ms() + ms;
    while (!shared_.stop && !shared_.abandon && shared_.clock->steady_ms() < until) {
      shared_.wait_for_signal(shared_.signals(), until - shared_.clock->steady_ms());
    }
    return !shared_.stop && !shared_.abandon;
  };
  sequencer_ = std::make_unique<Sequencer>(shared_);
  committer_ = std::make_unique<Committer>(shared_);
  std::vector<EngineThread*> peers;
  for (unsigned thread = 0; thread < parallelism; ++thread) {
    threads_.push_back(std::make_unique<EngineThread>(shared_, *sequencer_, *committer_, thread));
    peers.push_back(threads_.back().get());
  }
  for (auto& thread : threads_) thread->set_peers(peers);
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const Node& node = topology.nodes[n];
    if (node.kind == ComponentKind::kSink && node.sink->create_outbox_sink) {
      deliveries_.push_back(std::make_unique<Delivery>(shared_, *committer_, n));
    }
  }
}

Engine::~Engine() = default;

namespace {

/// What a part of the engine throws, since it cannot return it, as a status.
template <class Part>
Status caught(const Part& part) {
  try {
    return part();
  } catch (const StatusError& error) {
    const Status& status = error.status();
    // What may pass is tried again from the last commit.
    return status.code() == StatusCode::kUnavailable ? Status::restart(status.message()) : status;
  } catch (const std::logic_error& error) {
    // Numbers that are none: std::stoull and the like.
    return Status::corrupt(std::string("the state has something that cannot be read: ") +
                           error.what());
  } catch (const SimulatedCrash&) {
    throw;  // the simulation's own
  } catch (const std::exception& error) {
    return Status::failed(error.what());
  }
}

}  // namespace

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
  if (Status status = shared_.backend->opened(); !status.is_ok()) return status;
  return sequencer_->open(shared_.backend->last_epoch() + 1);
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
        if (!status.is_ok()) shared_.fail(std::move(status));
      });
    };
    for (auto& thread : threads_) start(*thread);
    start(*committer_);
    for (auto& delivery : deliveries_) start(*delivery);
    auto next = std::chrono::steady_clock::now();
    while (!done()) {
      const std::uint64_t seen = shared_.signals();
      if (tick && std::chrono::steady_clock::now() >= next) {
        tick(progress());
        next = std::chrono::steady_clock::now() + std::chrono::milliseconds(tick_ms);
      }
      if (!done()) shared_.wait_for_signal(seen, 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(done() ? 0 : 10));
    }
  }
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
  if (Status failure = shared_.failure(); !failure.is_ok()) return failure;
  if (!shared_.input_ended) return committer_->settle(true);
  for (auto& delivery : deliveries_) {
    // Asked to stop, it leaves the rest to the next start: the store may be away.
    while (!delivery->drained() && !shared_.stop && shared_.failure().is_ok()) delivery->step();
    if (!delivery->drained()) continue;
    if (Status status = delivery->finish(); !status.is_ok()) return status;
  }
  if (Status failure = shared_.failure(); !failure.is_ok()) return failure;
  return committer_->finish();
}

void Engine::stop() {
  shared_.stop = true;
  shared_.signal();
}

EngineProgress Engine::progress() {
  EngineProgress progress;
  std::tie(progress.bytes_done, progress.bytes_all) = sequencer_->progress();
  Committer::Progress committed = committer_->progress();
  progress.epoch = committed.epoch;
  progress.totals = std::move(committed.totals);
  progress.outbox_records = shared_.outbox_records;
  return progress;
}

}  // namespace huiliu::runtime
