#pragma once

#include <string_view>

namespace CLI {
class App;
}

namespace huiliu::runtime {
class Status;
}

namespace huiliu::cli {

/// What the process ends with; documented in --help and docs/guides/command-line.md.
enum ExitCode {
  kSuccess = 0,
  kFailed = 1,        ///< the run, or a test case, failed; nothing found
  kUsage = 2,         ///< wrong arguments or a config with errors
  kDataAtRisk = 3,    ///< corrupt state or a ledger that does not balance
  kLeftOut = 4,       ///< a bounded run ended, and some of its input could not be read
  kTakenOver = 5,     ///< another process has taken over and goes on with the work
  kInterrupted = 130  ///< stopped by a signal after a last commit
};

/// Prints the error of a status that is not ok, and gives the exit code that it means.
int report_error(const runtime::Status& status);

/// Each adds one subcommand whose callback sets `exit_code`, which outlives the parse.
void add_list(CLI::App& app, int& exit_code);
void add_describe(CLI::App& app, int& exit_code);
void add_reference(CLI::App& app, int& exit_code);
void add_schema(CLI::App& app, int& exit_code);
void add_completion(CLI::App& app, int& exit_code);
void add_validate(CLI::App& app, int& exit_code);
void add_plan(CLI::App& app, int& exit_code);
void add_new(CLI::App& app, int& exit_code);
void add_run(CLI::App& app, int& exit_code);
void add_test(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_state(CLI::App& app, int& exit_code);
void add_snapshot(CLI::App& app, int& exit_code);
void add_reset(CLI::App& app, int& exit_code);
void add_intake(CLI::App& app, int& exit_code);
void add_rejudge(CLI::App& app, int& exit_code);
void add_control(CLI::App& app, int& exit_code);  ///< pause, resume, drain, log-level
void add_top(CLI::App& app, int& exit_code);
void add_status(CLI::App& app, int& exit_code);
void add_rules(CLI::App& app, int& exit_code);

/// Adds them all, and the help of the program itself.
void add_commands(CLI::App& app, int& exit_code);

}  // namespace huiliu::cli
