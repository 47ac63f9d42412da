#include "service/explain/replay.h"

#include <deque>
#include <memory>

#include "runtime/base/clock.h"
#include "runtime/base/machine.h"
#include "runtime/engine/engine.h"
#include "runtime/topology/memory_shares.h"
#include "service/no_file_sink.h"
#include "service/temporary_folder.h"
#include "state/embedded_backend.h"

namespace huiliu::service {
namespace {

using runtime::Record;
using runtime::Status;

class NoEncoder final : public runtime::SinkEncoder {
 public:
  const runtime::Reject* encode(const Record&, std::string&) override { return nullptr; }
};

/// Counts what reaches it, as the ledger wants, and forgets it. What the real sink would refuse is
/// refused here too.
runtime::SinkType make_no_sink(const runtime::SinkType& real) {
  runtime::SinkType type;
  type.create_encoder = [&real](const runtime::SinkDeclaration& declaration,
                                std::size_t input) -> std::unique_ptr<runtime::SinkEncoder> {
    if (real.descriptor.rejects) return real.create_encoder(declaration, input);
    return std::make_unique<NoEncoder>();
  };
  type.create_epoch_sink = [](const runtime::SinkDeclaration&) { return no_file(); };
  return type;
}

/// Steps the engine until the recorder is content.
class Stepper {
 public:
  Stepper(runtime::Engine& engine, Recorder& recorder, const ReplayHooks& hooks)
      : engine_(engine), recorder_(recorder), hooks_(hooks) {}

  ReplayEnd run() {
    constexpr std::uint64_t kWorker = 0, kCommitter = 1;
    ReplayEnd end;
    std::int64_t busy_ms = now();
    while (!engine_.done() && !recorder_.full() && !end.interrupted) {
      const bool worked = engine_.step(kWorker);
      while (engine_.step(kCommitter)) {
      }
      if (hooks_.interrupted && hooks_.interrupted()) end.interrupted = true;
      if (worked) {
        busy_ms = now();
        show_progress();
      } else if (now() - busy_ms > hooks_.idle_ms && !end.idle) {
        end.idle = true;
        engine_.stop();  // one more step, which closes the epoch
      } else {
        runtime::sleep_ms(1);
      }
    }
    end.status = engine_.failure();
    return end;
  }

 private:
  static std::int64_t now() { return runtime::system_clock().steady_ms(); }

  void show_progress() {
    if (!hooks_.progress || now() - shown_ms_ < 500) return;
    shown_ms_ = now();
    const runtime::EngineProgress progress = engine_.progress();
    hooks_.progress(progress.bytes_done, progress.bytes_all);
  }

  runtime::Engine& engine_;
  Recorder& recorder_;
  const ReplayHooks& hooks_;
  std::int64_t shown_ms_ = now();
};

}  // namespace

ReplayEnd replay(runtime::Topology topology, Recorder& recorder, const ReplayHooks& hooks) {
  std::deque<runtime::SinkType> no_sinks;
  for (runtime::Node& node : topology.nodes) {
    if (node.kind != runtime::ComponentKind::kSink) continue;
    node.sink = &no_sinks.emplace_back(make_no_sink(*node.sink));
  }
  const TemporaryFolder folder;
  state::StoreOptions options;
  options.synchronous_flush = true;
  options.identity = topology.id;
  const std::uint64_t memory = runtime::memory_shares(topology).tables;
  if (memory > 0) options.memory_bytes = memory;
  auto store = state::EpochStore::open(folder.path().string(), options);
  if (!store.is_ok()) return {.status = store.status()};
  state::EmbeddedBackend backend(std::move(store.value()));
  runtime::Engine engine(topology, 1, backend, runtime::system_clock());
  // What is not there now will not come while somebody waits for an answer.
  engine.set_wait([](std::int64_t) { return false; });
  if (Status status = engine.open(); !status.is_ok()) return {.status = status};
  engine.trace(recorder);
  return Stepper(engine, recorder, hooks).run();
}

}  // namespace huiliu::service
