#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "cli/command.h"
#include "cli/signal_waiter.h"
#include "cli/topology_loading.h"
#include "operators/refused.h"
#include "runtime/base/clock.h"
#include "runtime/topology/state_layout.h"
#include "service/rejudge/chosen_rows.h"
#include "service/state/import.h"

namespace huiliu::cli {
namespace {

using runtime::ComponentKind;
using runtime::Status;
using runtime::Topology;

struct Options {
  std::string path, state, epoch;
  service::RejudgeRequest request;
  unsigned parallelism = 0;
};

/// Ok if rows of the topology can be judged again.
Status check_topology(const Topology& topology) {
  if (topology.backend->descriptor.name != "embedded") {
    return Status::invalid(
        fmt::format("rejudge works with the embedded backend, and the topology's is '{}'",
                    topology.backend->descriptor.name));
  }
  for (const auto& node : topology.nodes) {
    if (node.kind != ComponentKind::kSource || node.source->create_rereader) continue;
    return Status::invalid(
        fmt::format("source '{}' is of type {}, whose rows cannot be taken up one by one",
                    node.name, node.type_name));
  }
  if (!service::refused_nodes(topology).empty()) return Status::ok();
  return Status::invalid(
      "the topology has no operator of type `refused`, which knows the refused rows. Give it the "
      "verdict on each row, and rows that are refused from then on can be judged again:\n"
      "  refused:\n"
      "    type: refused\n"
      "    input: verdicts   # source_file, source_row, outcome, code, rule\n"
      "    key: [source_file, source_row]\n"
      "`huiliu describe operator refused` and topologies/credit/rules/operators.yaml show more");
}

std::string plural(std::uint64_t count) { return count == 1 ? "row" : "rows"; }

/// Ends with the number of rows that could not be taken up.
std::uint64_t print_summary(const Topology& topology, const service::ChosenRows& chosen,
                            const service::RejudgeOutcome& outcome,
                            const std::map<std::string, std::string>& reasons) {
  std::uint64_t judged = 0, refused = 0, missing = 0;
  for (const auto& [verdict, count] : outcome.verdicts) judged += count;
  std::string out =
      fmt::format("topology {}: rejudgement {}{}\n\n", topology.id, chosen.selection->number(),
                  chosen.goes_on ? ", gone on with after an interruption" : "");
  const auto line = [&out](std::string_view name, std::uint64_t count, std::string_view note = "") {
    out += fmt::format("{:<16} {:>12}{}{}\n", name, count, note.empty() ? "" : "  ", note);
  };
  line("selected", chosen.selection->rows());
  line("judged again", judged, chosen.goes_on ? "the part before the interruption included" : "");
  for (const auto& [verdict, count] : outcome.verdicts) {
    if (verdict == operators::kRejected) {
      refused = count;
    } else {
      line("  " + verdict, count);
    }
  }
  line(fmt::format("  {}", operators::kRejected), refused, refused > 0 ? "refused again" : "");
  for (const auto& [partition, count] : outcome.not_judged) missing += count;
  line("not found", missing);
  for (const auto& [partition, count] : outcome.not_judged) {
    const auto reason = reasons.find(partition);
    out += fmt::format("  {}: {} {}: {}\n", partition, count, plural(count),
                       reason == reasons.end()
                           ? "no verdict came: dropped on the way, or in no source any more"
                           : reason->second);
  }
  std::fputs(out.c_str(), stdout);
  return missing;
}

/// All is delivered, and was told: the next rejudgement is a new one.
Status close(const runtime::Selection& selection, runtime::Backend& backend) {
  const runtime::Rejudgement done{selection.number(), false, selection.text()};
  runtime::EpochCommit commit;
  commit.epoch = backend.last_epoch() + 1;
  commit.meta.emplace_back(runtime::Rejudgement::kKey, done.to_value());
  return backend.commit(commit);
}

/// Chooses the rows while the backend is open: nobody else changes the state.
runtime::Result<service::ChosenRows> choose(const Topology& topology, const std::string& folder,
                                            const service::RejudgeRequest& request) {
  service::OpenState state;
  if (Status status = service::open_state(topology, folder, state); !status.is_ok()) return status;
  return service::choose_rows(topology, state, request);
}

/// Prints what has come of it; the exit code.
runtime::Result<int> report(const Topology& topology, const std::string& folder,
                            const service::ChosenRows& chosen,
                            const std::map<std::string, std::string>& reasons) {
  service::OpenState state;
  if (Status status = service::open_state(topology, folder, state); !status.is_ok()) return status;
  const auto outcome = service::outcome_of(topology, state, *chosen.selection);
  if (!outcome.is_ok()) return outcome.status();
  const bool missing = print_summary(topology, chosen, outcome.value(), reasons) > 0;
  std::fflush(stdout);
  return missing ? kFailed : kSuccess;
}

int judge(const Topology& topology, const Options& options, const std::string& folder) {
  SignalWaiter signals;
  const runtime::BackendContext context{runtime::state_needs(topology), folder};
  auto backend = topology.backend->open(context);
  if (!backend.is_ok()) {
    if (backend.status().code() != runtime::StatusCode::kUnavailable) {
      return report_error(backend.status());
    }
    return report_error(
        Status::unavailable(backend.status().message() +
                            "; does the topology run? It must be stopped for a rejudgement"));
  }
  if (Status status = service::check_whole(*backend.value()); !status.is_ok())
    return report_error(status);
  auto rows = choose(topology, folder, options.request);
  if (!rows.is_ok()) return report_error(rows.status());
  const service::ChosenRows chosen = std::move(rows.value());
  const unsigned threads = options.parallelism ? options.parallelism : topology.parallelism;
  runtime::Engine engine(topology, threads, *backend.value(), runtime::system_clock());
  engine.rejudge(*chosen.selection);
  Status status = engine.open();
  if (status.is_ok()) {
    signals.watch(engine);
    status = engine.run();
    signals.release();
  }
  if (!status.is_ok()) return report_error(status);
  if (!engine.input_ended()) {
    std::puts("interrupted: the same command goes on");
    return kInterrupted;
  }
  const auto code = report(topology, folder, chosen, engine.unread().not_found());
  if (!code.is_ok()) return report_error(code.status());
  if (Status closed = close(*chosen.selection, *backend.value()); !closed.is_ok()) {
    return report_error(closed);
  }
  return code.value();
}

int rejudge(const Options& options) {
  auto topology = load_for_run(options.path);
  if (!topology) return kUsage;
  if (!options.epoch.empty()) {
    const auto epoch = runtime::parse_duration(options.epoch);
    if (!epoch) {
      fmt::print(stderr, "error: --epoch expects a duration such as 10ms, 1s, 5m\n");
      return kUsage;
    }
    topology->epoch_ms = epoch->count();
  }
  if (Status status = check_topology(*topology); !status.is_ok()) return report_error(status);
  const std::string folder = service::state_folder_of(*topology, options.state);
  {
    // Opening the backend would make a state where there is none.
    service::OpenState state;
    if (Status status = service::open_state(*topology, folder, state); !status.is_ok()) {
      return report_error(status);
    }
  }
  return judge(*topology, options, folder);
}

}  // namespace

void add_rejudge(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "rejudge", "Judges refused rows again, after a rule or a table was mended.");
  command->footer(
      "Reads the refused rows again from where they were read, and nothing else; exactly once,\n"
      "also if it is killed: the same command then goes on. The topology must not be running.\n"
      "Ends with 1 if rows cannot be found.\n"
      "Examples:\n"
      "  huiliu rejudge topologies/credit/topology.yaml\n"
      "  huiliu rejudge topology.yaml --file '03_*.csv' --rule region");
  command->add_option("topology", options->path, "topology file")->required();
  command->add_option("--file", options->request.file,
                      "only rows of files whose name, or path within the source, matches");
  command->add_option("--rule", options->request.rule,
                      "only rows that this rule refused: id, or id@version");
  command->add_flag("--anew", options->request.anew,
                    "do not go on with one that was interrupted: judge all again");
  command->add_option("--state", options->state, "folder of the state instead of the file's");
  command->add_option("--parallelism", options->parallelism, "threads")->check(CLI::Range(1, 256));
  command->add_option("--epoch", options->epoch, "time between commits, e.g. 200ms");
  command->callback([options, &exit_code] { exit_code = rejudge(*options); });
}

}  // namespace huiliu::cli
