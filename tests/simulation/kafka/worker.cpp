#include "tests/simulation/kafka/worker.h"

#include <algorithm>
#include <vector>

#include "runtime/topology/state_layout.h"
#include "state/epoch_store.h"

namespace huiliu::simulation {

using runtime::Status;
using runtime::StatusCode;

namespace {
constexpr const char* kFolder = "/state";
}

void Disk::keep_copy() {
  std::vector<std::string> names;
  if (!env_->GetChildren(kFolder, &names).ok()) return;
  copy_.clear();
  for (const std::string& name : names) {
    const std::string path = std::string(kFolder) + "/" + name;
    std::string content;
    if (rocksdb::ReadFileToString(env_.get(), path, &content).ok()) copy_[path] = content;
  }
}

void Disk::go_back() {
  wipe();
  env_->CreateDirIfMissing(kFolder).PermitUncheckedError();
  for (const auto& [path, content] : copy_) {
    rocksdb::WriteStringToFile(env_.get(), content, path, true).PermitUncheckedError();
  }
}

Worker::Worker(Scheduler& scheduler, Disk& disk, const runtime::Topology& topology,
               std::string snapshots, int number, unsigned threads)
    : scheduler_(scheduler),
      disk_(disk),
      topology_(topology),
      snapshots_(std::move(snapshots)),
      threads_(threads) {
  process_->number = number;
  scheduler_.spawn(process_, [this] {
    struct End {
      Worker& self;
      ~End() {
        self.ended_ = true;
        self.killed_ = self.process_->dead;
        self.scheduler_.kill(*self.process_);  // its clients end with it
      }
    } const end{*this};
    main();
  });
}

void Worker::ask_to_end() {
  asked_ = true;
  if (engine_ != nullptr) engine_->stop();
}

// As cli/commands/run.cpp does it.
void Worker::main() {
  constexpr std::int64_t kFirstPauseMs = 100, kMostPauseMs = 10'000;
  std::shared_ptr<void> session;
  runtime::BackendContext context{runtime::state_needs(topology_), kFolder, &session,
                                  [this] { return asked_; }};
  runtime::Config config = *topology_.backend_config;
  if (!snapshots_.empty()) {
    config.set("standbys", runtime::Config::scalar("1"));
    config.set("snapshots", runtime::Config::scalar(snapshots_));
  }
  context.needs.backend_config = &config;
  context.adjust_store = [this](state::StoreOptions& options) {
    options.env = &disk_.env();
    // Tables are written out by a thread of their own, as they are outside of simulations, or at
    // once.
    options.synchronous_flush = process_->number % 3 == 0;
    // So small that epochs are written out, or so large that changelogs are needed.
    options.memory_bytes = process_->number % 2 == 0 ? 1u << 20 : 64u << 20;
  };
  for (std::int64_t pause = kFirstPauseMs;; pause = std::min(pause * 2, kMostPauseMs)) {
    bool reopen = false;
    status_ = run_once(context, reopen);
    scheduler_.note("run ended", {static_cast<std::int64_t>(status_.code()), reopen},
                    status_.message());
    if (status_.code() != StatusCode::kRestart || asked_) break;
    ++restarts_;
    if (reopen) {
      pause = kFirstPauseMs / 2;
      continue;
    }
    scheduler_.sleep(pause * 1000);
    if (asked_) break;
  }
}

Status Worker::run_once(const runtime::BackendContext& context, bool& reopen) {
  const auto confirmed = [](Status status, runtime::Backend& backend) {
    if (status.is_ok() || status.code() == StatusCode::kRestart) return status;
    const Status owner = backend.confirm();
    return owner.is_ok() ? status : Status::restart(owner.message());
  };
  auto backend = topology_.backend->open(context);
  if (!backend.is_ok()) return backend.status();
  runtime::Engine engine(topology_, threads_, *backend.value(), scheduler_);
  engine.set_piece_rows(2);
  engine.set_wait([this, &engine](std::int64_t ms) {
    scheduler_.sleep(ms * 1000);
    return !engine.ending();
  });
  if (Status status = engine.open(); !status.is_ok()) {
    return confirmed(std::move(status), *backend.value());
  }
  drive(engine);
  Status status = confirmed(engine.finish(), *backend.value());
  reopen = status.is_ok() && backend.value()->pacing().reopen && !asked_;
  return reopen ? Status::restart("the workers share the work anew") : status;
}

void Worker::drive(runtime::Engine& engine) {
  const auto run = [this, &engine](std::uint64_t first, std::uint64_t parts) {
    while (!engine.done()) {
      const bool worked = engine.step(first + scheduler_.below(parts));
      scheduler_.sleep(worked ? scheduler_.between(10, 500) : scheduler_.between(500, 12'000));
    }
  };
  engine_ = &engine;
  if (asked_) engine.stop();
  struct End {
    runtime::Thread committer;
    runtime::Engine*& engine;
    ~End() {
      engine = nullptr;
      if (committer.joinable()) committer.join();
    }
  } const end{runtime::Thread([&run, this] { run(threads_, 1); }), engine_};
  run(0, threads_);
}

}  // namespace huiliu::simulation
