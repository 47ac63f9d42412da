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
#include "cli/log.h"
#include "cli/progress.h"
#include "cli/signal_waiter.h"
#include "cli/topology_loading.h"
#include "net/token.h"
#include "runtime/base/clock.h"
#include "runtime/base/paths.h"
#include "runtime/engine/engine.h"
#include "runtime/topology/read_folders.h"
#include "service/monitor/control_pages.h"
#include "service/monitor/monitor_server.h"
#include "service/monitor/run_monitor.h"
#include "service/monitor/service_notifier.h"
#include "service/state/state_folder.h"
#include "service/supervisor.h"

namespace huiliu::cli {
namespace {

using runtime::ComponentKind;
using runtime::EngineProgress;
using runtime::Status;
using runtime::StatusCode;
using runtime::Topology;

struct Options {
  std::string listen, token_file, log = "text", log_level = "info";
  std::string path, state, epoch, from;
  unsigned parallelism = 0;
  bool quiet = false, leave_out = false;
};

/// One line a tick: rewritten in place on a terminal, a log entry otherwise. It tells of this run,
/// however often its parts begin anew.
class ProgressPrinter final : public service::RunObserver {
 public:
  ProgressPrinter(const Topology& topology, bool quiet)
      : topology_(topology), terminal_(isatty(STDERR_FILENO) == 1), quiet_(quiet) {}

  void importing(const std::string& text) override { fmt::print(stderr, "{}", text); }

  /// What was done before; the first call counts.
  void opened(const EngineProgress& progress) override {
    if (!begun_) before_ = progress.totals;
    begun_ = true;
  }

  void progress(const EngineProgress& progress) override {
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
  void paused() override {
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

/// What the sources could not read.
void print_left_out(const service::RunEnd& end, std::FILE* to) {
  if (!end.left_out.empty()) std::fputs("\nleft out\n", to);
  for (const auto& [source, names] : end.left_out) {
    for (const auto& [name, why] : names) fmt::print(to, "  {}: {}: {}\n", source, name, why);
  }
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

/// How far event time has come where nodes wait for it, and whom they wait for.
std::string event_times(const Topology& topology, const EngineProgress& progress) {
  std::string out;
  if (!progress.figures) return out;
  const runtime::RunFigures& figures = *progress.figures;
  const auto text = [](std::int64_t time) {
    return time == runtime::kNoEventTime ? "nothing yet" : runtime::utc_text(time);
  };
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const auto& node = topology.nodes[n];
    const std::int64_t reached =
        n < figures.times.size() ? figures.times[n] : runtime::kNoEventTime;
    if (!node.descriptor->needs_event_time || reached == runtime::kEndOfTime) continue;
    out += fmt::format("  {}: {}", node.name, text(reached));
    if (const auto holder = time_holder(topology, n, figures.input)) {
      const std::string split = holder->split.empty() ? "" : " of " + holder->split;
      out += fmt::format(", waits for {}{} ({})", topology.nodes[holder->source].name, split,
                         text(holder->time));
    }
    out += "\n";
  }
  return out.empty() ? out : "\nevent time\n" + out;
}

/// Where people read what a run did: not among the rows that a sink of the topology prints, which
/// may go into a pipe.
std::FILE* report_of(const Topology& topology) {
  const bool prints = std::any_of(topology.nodes.begin(), topology.nodes.end(), [](const auto& n) {
    return n.kind == ComponentKind::kSink && n.type_name == "stdout";
  });
  return prints ? stderr : stdout;
}

/// What this run did, and apart from it what was done since the state began.
void print_summary(const Topology& topology, const EngineProgress& progress,
                   const ProgressPrinter& printer) {
  std::string out = fmt::format("topology {} version {}: epoch {}, {:.1f} s\n\n", topology.id,
                                topology.version, progress.epoch, printer.seconds());
  const auto totals = since(printer.before(), progress.totals);
  out += fmt::format("{:<9} {:<20} {:>12} {:>12} {:>12} {:>12} {:>12}\n", "kind", "name",
                     "received", "emitted", "rejected", "dropped", "absorbed");
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
  out += event_times(topology, progress);
  const std::string outputs = outputs_of(topology);
  if (!outputs.empty()) out += "\nwritten\n" + outputs;
  std::fputs(out.c_str(), report_of(topology));
}

/// "" where none is asked for. It is read before anything is opened: a run whose token is wrong
/// would be noticed only when somebody needs it.
runtime::Result<std::string> token_of(const Topology& topology) {
  if (topology.token_file.empty()) return std::string();
  return net::read_token(topology.token_file);
}

int run_until_done(const Topology& topology, const service::RunSettings& settings, bool quiet) {
  SignalWaiter signals;
  ProgressPrinter printer(topology, quiet);
  service::RunMonitor monitor(printer);
  service::RunControl control;
  const auto token = token_of(topology);
  if (!token.is_ok()) return report_error(token.status());
  service::ControlPages controls(topology, control, monitor, {token.value(), topology.listen},
                                 set_log_level);
  std::unique_ptr<net::HttpServer> server;
  if (!topology.listen.empty()) {
    auto started = service::start_monitor(topology.listen, topology, monitor, &controls);
    if (!started.is_ok()) return report_error(started.status());
    server = std::move(started.value());
    spdlog::info("metrics, health and status at {}://{}/",
                 topology.tls.certificate.empty() ? "http" : "https", server->address());
  }
  const auto notifier = service::ServiceNotifier::from_environment(topology, monitor, signals);
  const service::RunEnd end =
      service::Supervisor(topology, settings, signals, monitor, &control).run();
  // Who asked for the end has a right to hear of it.
  if (server) server->settle(std::chrono::seconds(2));
  if (end.has_progress) {
    print_summary(topology, end.progress, printer);
    print_left_out(end, report_of(topology));
  }
  if (!end.status.is_ok()) return report_error(end.status);
  if (end.stopped) return kInterrupted;
  return end.left_out.empty() || end.drained ? kSuccess : kLeftOut;
}

Status open_start(const Options& options, service::SnapshotStart& start) {
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
  auto topology = load_for_run(options.path);
  if (!topology) return kUsage;
  if (!options.epoch.empty()) {
    const auto epoch = runtime::parse_duration(options.epoch);
    if (!epoch || epoch->count() == 0) {
      fmt::print(stderr, "error: --epoch expects a duration such as 10ms, 1s, 5m\n");
      return kUsage;
    }
    topology->epoch_ms = epoch->count();
  }
  set_up_log(options.log == "json" ? LogFormat::kJson : LogFormat::kText, options.log_level,
             topology->id);
  if (!options.listen.empty()) topology->listen = options.listen;
  if (!options.token_file.empty()) topology->token_file = options.token_file;
  const unsigned threads = options.parallelism ? options.parallelism : topology->parallelism;
  const std::string folder = service::state_folder_of(*topology, options.state);
  if (const auto* reader = runtime::reader_of_state(*topology, std::filesystem::absolute(folder))) {
    fmt::print(stderr, "error: the state folder '{}' lies where source '{}' reads\n", folder,
               reader->name);
    return kUsage;
  }
  if (const Status made = runtime::make_folder(folder); !made.is_ok()) {
    fmt::print(stderr, "error: the state folder: {}\n", made.message());
    return kUsage;
  }
  service::RunSettings settings{.state_folder = folder, .threads = threads};
  if (!options.from.empty()) {
    const Status status = open_start(options, settings.start);
    if (!status.is_ok()) return report_error(status);
  }
  return run_until_done(*topology, settings, options.quiet);
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
  command->add_option("--parallelism", options->parallelism, "threads")->check(CLI::Range(1, 256));
  command->add_option("--epoch", options->epoch, "time between commits, e.g. 200ms");
  command->add_option("--from", options->from,
                      "snapshot (a folder that `huiliu snapshot` made) to start from, if there is "
                      "no state yet");
  command->add_flag("--leave-out", options->leave_out,
                    "with --from: go without what the topology has no place for");
  command->add_option("--listen", options->listen,
                      "IP:PORT where metrics, health and status are answered, e.g. 127.0.0.1:9464");
  command->add_option("--token-file", options->token_file,
                      "file with the token that commands from other machines must bring");
  command->add_option("--log", options->log, "form of the log, on standard error")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_option("--log-level", options->log_level, "the least that is logged")
      ->check(CLI::IsMember(kLogLevels))
      ->capture_default_str();
  command->add_flag("-q,--quiet", options->quiet, "no progress");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace huiliu::cli
