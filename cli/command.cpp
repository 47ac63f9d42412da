#include "cli/command.h"

#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/base/status.h"
#include "runtime/component/library.h"

namespace huiliu::cli {

int report_error(const runtime::Status& status) {
  fmt::print(stderr, "error: {}\n", status.message());
  switch (status.code()) {
    case runtime::StatusCode::kInvalid:
      return kUsage;
    case runtime::StatusCode::kTakenOver:
      return kTakenOver;
    case runtime::StatusCode::kCorrupt:
    case runtime::StatusCode::kFatal:
      return kDataAtRisk;
    default:
      return kFailed;
  }
}

void add_commands(CLI::App& app, int& exit_code) {
  app.description("Huiliu runs stream topologies: sources, operators and sinks, exactly once.");
  app.set_version_flag("--version", std::string("huiliu ") + runtime::kVersion +
                                        " (libraries: ABI " + std::to_string(runtime::kLibraryAbi) +
                                        ", " + runtime::kCxxAbi + ")");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 the run or a test failed or nothing was found, 2 wrong arguments or\n"
      "config, 3 corrupt state or a ledger that does not balance, 4 input was left out, 5 another\n"
      "process has taken over, 130 stopped by a signal.\n\n"
      "Examples:\n"
      "  huiliu new first && huiliu run first/topology.yaml\n"
      "  huiliu validate topologies/credit/topology.yaml\n"
      "  huiliu run topologies/credit/topology.yaml\n"
      "  huiliu describe operator filter");
  add_new(app, exit_code);
  add_run(app, exit_code);
  add_validate(app, exit_code);
  add_plan(app, exit_code);
  add_test(app, exit_code);
  add_explain(app, exit_code);
  add_status(app, exit_code);
  add_top(app, exit_code);
  add_control(app, exit_code);
  add_state(app, exit_code);
  add_snapshot(app, exit_code);
  add_reset(app, exit_code);
  add_intake(app, exit_code);
  add_rejudge(app, exit_code);
  add_rules(app, exit_code);
  add_list(app, exit_code);
  add_describe(app, exit_code);
  add_schema(app, exit_code);
  add_reference(app, exit_code);
  add_completion(app, exit_code);
}

}  // namespace huiliu::cli
