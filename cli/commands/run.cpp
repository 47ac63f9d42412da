#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/signal_waiter.h"
#include "runtime/base/clock.h"
#include "runtime/engine/engine.h"
#include "runtime/topology/read_folders.h"
#include "runtime/topology/state_layout.h"
#include "service/state/import.h"
#include "service/state/state_folder.h"
#include "service/topology_file.h"

namespace huiliu::cli {
namespace {

using runtime::ComponentKind;
using runtime::EngineProgress;
using runtime::Status;
using runtime::StatusCode;
using runtime::Topology;

struct Options {
  std::string path, state, epoch, from;
  unsigned parallelism = 0;
  bool quiet = false, leave_out = false;
};

/// The snapshot that a topology without state starts from.
struct Start {
  std::unique_ptr<state::Snapshot> snapshot;  ///< null: none
  bool may_leave_out = false;
};

/// One line a tick: rewritten in place on a terminal, a log entry otherwise. It tells of this run,
/// however often its parts begin anew.
class ProgressPrinter {
 public:
  ProgressPrinter(const Topology& topology, bool quiet)
      : topology_(topology), terminal_(isatty(STDERR_FILENO) == 1), quiet_(quiet) {}

  /// What was done before; the first call counts.
  void begin(const EngineProgress& progress) {
    if (!begun_) before_ = progress.totals;
    begun_ = true;
  }

  void print(const EngineProgress& progress) {
    last_ = progress;
    const Counts counts = count(topology_, since(before_, progress.totals));
    const std::int64_t now = runtime::system_clock().steady_ms();
    const std::string text = line_.text(counts, share_of(progress), progress.epoch, now, columns());
    if (!quiet_ && terminal_) {
      rewrite(text);
    } else if (!quiet_ && now - last_log_ms_ >= 5000) {
      spdlog::info("progress epoch={} read={} rejected={} written={} rate={:.0f}", progress.epoch,
                   counts.read, counts.rejected, counts.written, line_.rate());
      last_log_ms_ = now;
    }
  }
  void end() const {
    if (quiet_ || !terminal_) return;
    const Counts counts = count(topology_, since(before_, last_.totals));
    const std::int64_t now = runtime::system_clock().steady_ms();
    rewrite(line_.last(counts, share_of(last_), last_.epoch, now, columns()));
    std::fputs("\n", stderr);
  }
  double seconds() const {
    return static_cast<double>(line_.elapsed_ms(runtime::system_clock().steady_ms())) / 1000.0;
  }
  const std::vector<runtime::Ledger::Totals>& before() const { return before_; }

 private:
  static void rewrite(const std::string& text) {
    fmt::print(stderr, "\r{}\x1b[K", text);
    std::fflush(stderr);
  }
  static int share_of(const EngineProgress& progress) {
    if (progress.bytes_all == 0) return -1;
    return static_cast<int>(100 * progress.bytes_done / progress.bytes_all);
  }
  static std::size_t columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
  }

  const Topology& topology_;
  bool terminal_, quiet_, begun_ = false;
  std::vector<runtime::Ledger::Totals> before_;
  EngineProgress last_;
  ProgressLine line_{runtime::system_clock().steady_ms()};
  std::int64_t last_log_ms_ = runtime::system_clock().steady_ms();
};

/// Each path that sinks wrote, with the sinks' names.
std::string outputs_of(const Topology& topology) {
  const std::filesystem::path folder = topology.folder;
  std::vector<std::pair<std::string, std::string>> paths;
  for (const auto& node : topology.nodes) {
    if (node.kind != ComponentKind::kSink || !node.config->has("path")) continue;
    const auto& path = (*node.config)["path"];
    if (!path.is_scalar()) continue;
    std::string text = path.secret() ? "***" : (folder / path.text()).lexically_normal().string();
    // A file for each value of a field.
    if (const auto at = text.find("{}"); at != std::string::npos) text.replace(at, 2, "*");
    const auto same = std::find_if(paths.begin(), paths.end(),
                                   [&](const auto& known) { return known.first == text; });
    if (same == paths.end()) {
      paths.emplace_back(text, node.name);
    } else {
      same->second += ", " + node.name;
    }
  }
  std::string out;
  for (const auto& [path, names] : paths) out += fmt::format("  {}  ({})\n", path, names);
  return out;
}

/// What the sources could not read; false if there is something.
bool nothing_left_out(const runtime::Shared& shared) {
  bool nothing = true;
  for (const auto& [source, names] : shared.left_out) {
    for (const auto& [name, why] : names) {
      if (nothing) std::fputs("\nleft out\n", stdout);
      nothing = false;
      fmt::print("  {}: {}: {}\n", source, name, why);
    }
  }
  return nothing;
}

/// A pattern that fits no file, a topic without messages: it looks like a run that went well.
std::string idle_sources(const Topology& topology,
                         const std::vector<runtime::Ledger::Totals>& totals) {
  std::string out;
  for (std::size_t n = 0; n < topology.nodes.size() && n < totals.size(); ++n) {
    const auto& node = topology.nodes[n];
    if (node.kind != ComponentKind::kSource || node.internal) continue;
    if (totals[n].emitted + totals[n].rejected > 0) continue;
    const bool pattern = node.config->has("pattern");
    out += fmt::format("\nsource {} has read nothing yet: does its {} fit what is there?\n",
                       node.name, pattern ? "`pattern`" : "input");
  }
  return out;
}

/// What this run did, and apart from it what was done since the state began.
void print_summary(const Topology& topology, const EngineProgress& progress,
                   const ProgressPrinter& printer) {
  std::string out = fmt::format("topology {} version {}: epoch {}, {:.1f} s\n\n", topology.id,
                                topology.version, progress.epoch, printer.seconds());
  const auto totals = since(printer.before(), progress.totals);
  out += fmt::format("{:<9} {:<20} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "kind", "name",
                     "received", "emitted", "rejected", "dropped", "kept");
  for (std::size_t n = 0; n < topology.nodes.size() && n < totals.size(); ++n) {
    const auto& node = topology.nodes[n];
    const auto& t = totals[n];
    out += fmt::format("{:<9} {:<20} {:>12} {:>12} {:>12} {:>12} {:>12}\n", kind_name(node.kind),
                       node.name, t.received, t.emitted + t.created, t.rejected, t.dropped,
                       t.absorbed);
  }
  const Counts earlier = count(topology, printer.before());
  if (earlier.read > 0 || earlier.written > 0) {
    const Counts all = count(topology, progress.totals);
    out += fmt::format("\nwith all earlier runs: {} read, {} rejected, {} written\n", all.read,
                       all.rejected, all.written);
  }
  out += idle_sources(topology, progress.totals);
  out += "\nwritten\n" + outputs_of(topology);
  std::fputs(out.c_str(), stdout);
}

/// An error counts only if the process still owns what it looked at.
Status confirmed(Status status, runtime::Backend& backend) {
  if (status.is_ok() || status.code() == StatusCode::kRestart) return status;
  const Status owner = backend.confirm();
  return owner.is_ok() ? status : Status::restart(owner.message());
}

/// Fills a backend without state; true if it must be opened anew.
runtime::Result<bool> start_from(const Start& start, const Topology& topology,
                                 const runtime::BackendContext& context,
                                 runtime::Backend& backend) {
  if (!start.snapshot) {
    if (Status status = service::check_whole(backend); !status.is_ok()) return status;
    return false;
  }
  const auto state = service::import_state(*start.snapshot, backend);
  if (!state.is_ok()) return state.status();
  if (state.value() == service::ImportState::kDone) return false;
  const auto plan = service::plan_import(*start.snapshot, topology, start.may_leave_out);
  if (!plan.is_ok()) return plan.status();
  fmt::print(stderr, "{}", service::import_text(*start.snapshot, plan.value()));
  const Status status = service::import_snapshot(*start.snapshot, plan.value(), topology, backend,
                                                 context.interrupted);
  if (!status.is_ok()) return status;
  return true;
}

/// How run_once() ended, beside its status.
struct Ended {
  bool reopen = false;    ///< nothing is wrong: the backend is only to be opened anew
  bool left_out = false;  ///< input that could not be read
};

/// From the last committed epoch until the topology ends or cannot go on.
Status run_once(const Topology& topology, const runtime::BackendContext& context,
                const Start& start, unsigned threads, SignalWaiter& signals,
                ProgressPrinter& printer, Ended& ended) {
  auto backend = topology.backend->open(context);
  if (!backend.is_ok()) return backend.status();
  const auto filled = start_from(start, topology, context, *backend.value());
  if (!filled.is_ok()) return confirmed(filled.status(), *backend.value());
  ended.reopen = filled.value();
  if (ended.reopen) return Status::restart("the state is that of the snapshot");
  runtime::Engine engine(topology, threads, *backend.value(), runtime::system_clock());
  // A store or a file that is away keeps the engine waiting while it opens.
  signals.start(engine);
  if (Status status = engine.open(); !status.is_ok()) {
    signals.detach();
    if (signals.caught() && status.code() == StatusCode::kUnavailable) return Status::ok();
    return confirmed(std::move(status), *backend.value());
  }
  printer.begin(engine.progress());
  const Status status = confirmed(
      engine.run([&printer](const EngineProgress& p) { printer.print(p); }), *backend.value());
  signals.detach();
  printer.end();
  ended.reopen = status.is_ok() && backend.value()->wants_reopening() && !signals.caught();
  if (ended.reopen) return Status::restart("the workers share the work anew");
  if (status.is_ok()) {
    print_summary(topology, engine.progress(), printer);
    ended.left_out = !nothing_left_out(engine.shared());
  }
  return status;
}

int run_until_done(const Topology& topology, const Start& start, unsigned threads,
                   const std::string& state, bool quiet) {
  constexpr std::chrono::milliseconds kFirstPause(100), kMostPause(10'000), kLongRun(60'000);
  SignalWaiter signals;
  ProgressPrinter printer(topology, quiet);
  std::shared_ptr<void> session;
  const runtime::BackendContext context{
      runtime::state_needs(topology), state, &session,
      [&signals] { return !signals.sleep(std::chrono::milliseconds(0)); }};
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kMostPause)) {
    const auto started = std::chrono::steady_clock::now();
    Ended ended;
    const Status status = run_once(topology, context, start, threads, signals, printer, ended);
    if (ended.reopen) {
      spdlog::info("{}", status.message());
      pause = kFirstPause / 2;
      continue;
    }
    if (status.code() != StatusCode::kRestart) {
      if (!status.is_ok()) return report_error(status);
      if (signals.caught()) return kInterrupted;
      return ended.left_out ? kLeftOut : kSuccess;
    }
    if (signals.caught()) return kInterrupted;
    if (std::chrono::steady_clock::now() - started > kLongRun) pause = kFirstPause;
    spdlog::warn("{}; starting again at the last committed epoch in {} ms", status.message(),
                 pause.count());
    if (!signals.sleep(pause)) return kInterrupted;
  }
}

Status open_start(const Options& options, Start& start) {
  auto snapshot = state::Snapshot::open(options.from);
  if (!snapshot.is_ok()) {
    const bool none = snapshot.status().code() == StatusCode::kNotFound;
    return none ? Status::invalid(snapshot.status().message()) : snapshot.status();
  }
  start.snapshot = std::move(snapshot.value());
  start.may_leave_out = options.leave_out;
  return Status::ok();
}

int run(const Options& options) {
  auto topology = service::load_for_run(options.path);
  if (!topology) return kUsage;
  if (!options.epoch.empty()) {
    const auto epoch = runtime::parse_duration(options.epoch);
    if (!epoch || epoch->count() == 0) {
      fmt::print(stderr, "error: --epoch expects a duration such as 10ms, 1s, 5m\n");
      return kUsage;
    }
    topology->epoch_ms = epoch->count();
  }
  const unsigned threads = options.parallelism ? options.parallelism : topology->parallelism;
  const std::string folder = service::state_folder_of(*topology, options.state);
  if (const auto* reader = runtime::reader_of_state(*topology, std::filesystem::absolute(folder))) {
    fmt::print(stderr, "error: the state folder '{}' lies where source '{}' reads\n", folder,
               reader->name);
    return kUsage;
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    fmt::print(stderr, "error: cannot make the state folder '{}': {}\n", folder, error.message());
    return kUsage;
  }
  Start start;
  if (!options.from.empty()) {
    const Status status = open_start(options, start);
    if (!status.is_ok()) return report_error(status);
  }
  return run_until_done(*topology, start, threads, folder, options.quiet);
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Runs a topology, continuing where it stopped.");
  command->footer(
      "SIGINT and SIGTERM commit what was begun and end with code 130; a second one ends at once.\n"
      "Examples:\n  huiliu run topologies/credit/topology.yaml\n"
      "  huiliu run --state /var/lib/huiliu --parallelism 2 --epoch 200ms topology.yaml");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--state", options->state, "folder of the state instead of the file's");
  command->add_option("--parallelism", options->parallelism, "worker threads")
      ->check(CLI::Range(1, 256));
  command->add_option("--epoch", options->epoch, "time between commits, e.g. 200ms");
  command->add_option("--from", options->from,
                      "snapshot (a folder that `huiliu snapshot` made) to start from, if there is "
                      "no state yet");
  command->add_flag("--leave-out", options->leave_out,
                    "with --from: go without what the topology has no place for");
  command->add_flag("-q,--quiet", options->quiet, "no progress");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace huiliu::cli
