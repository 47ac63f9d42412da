#include "cli/explain/replay.h"

#include <chrono>
#include <memory>
#include <thread>

#include "cli/no_file_sink.h"
#include "cli/temporary_folder.h"
#include "runtime/clock.h"
#include "runtime/engine.h"
#include "state/embedded_backend.h"

namespace huiliu::cli {
namespace {

using runtime::Record;
using runtime::Status;

class NoEncoder final : public runtime::SinkEncoder {
 public:
  void encode(const Record&, std::string&) override {}
};

/// Counts what reaches it, as the ledger wants, and forgets it.
runtime::SinkType make_no_sink() {
  runtime::SinkType type;
  type.create_encoder = [](const runtime::SinkDeclaration&, std::size_t) {
    return std::make_unique<NoEncoder>();
  };
  type.create_file = [](const runtime::SinkDeclaration&) { return no_file(); };
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
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
    end.status = engine_.shared().failure();
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
  const runtime::SinkType no_sink = make_no_sink();
  for (runtime::Node& node : topology.nodes) {
    if (node.kind == runtime::ComponentKind::kSink) node.sink = &no_sink;
  }
  const TemporaryFolder folder;
  state::StoreOptions options;
  options.synchronous_flush = true;
  options.identity = topology.id;
  if (topology.memory_bytes > 0) options.memory_bytes = topology.memory_bytes;
  auto store = state::EpochStore::open(folder.path().string(), options);
  if (!store.is_ok()) return {.status = store.status()};
  state::EmbeddedBackend backend(std::move(store.value()));
  runtime::Engine engine(topology, 1, backend, runtime::system_clock());
  // What is not there now will not come while somebody waits for an answer.
  engine.shared().wait = [](std::int64_t) { return false; };
  if (Status status = engine.open(); !status.is_ok()) return {.status = status};
  engine.worker(0).chains().set_tracer(&recorder);
  return Stepper(engine, recorder, hooks).run();
}

}  // namespace huiliu::cli
