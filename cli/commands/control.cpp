#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/log.h"

namespace huiliu::cli {
namespace {

void add(CLI::App& app, int& exit_code, const char* name, const char* doc, const char* footer) {
  auto options = std::make_shared<ControlCommand>();
  options->name = name;
  CLI::App* command = app.add_subcommand(name, doc);
  command->footer(footer);
  if (options->name == "log-level") {
    command->add_option("level", options->level, "the least that is logged")
        ->required()
        ->check(CLI::IsMember(kLogLevels));
  } else {
    command->add_option("--timeout", options->timeout, "seconds to wait until it is in force")
        ->check(CLI::Range(0, 600))
        ->capture_default_str();
  }
  add_monitor_options(*command, options->to);
  command->add_option("--token-file", options->token_file,
                      "file with the token that the topology's `server: {token_file: ...}` has, "
                      "for a process on another machine");
  command->callback([options, &exit_code] { exit_code = give_command(*options); });
}

}  // namespace

void add_control(CLI::App& app, int& exit_code) {
  add(app, exit_code, "pause", "Stops the input of a running topology until `resume`.",
      "What was read is committed; then the command says with which epoch. The process stays up. A "
      "new\nstart of it runs. Where several workers share a topology it holds for the one that is "
      "asked.\nExamples:\n  huiliu pause 127.0.0.1:9464\n  huiliu pause topology.yaml");
  add(app, exit_code, "resume", "Lets a topology that was paused go on.",
      "Examples:\n  huiliu resume 127.0.0.1:9464");
  add(app, exit_code, "drain", "Ends a running topology when everything it has read is delivered.",
      "It reads no more, commits, delivers to every store, and ends with code 0. The command waits "
      "for\nthat, or says after --timeout what still has to be done. A new start goes on where it "
      "ended.\nExamples:\n  huiliu drain --timeout 300 topology.yaml");
  add(app, exit_code, "log-level", "Changes what a running topology logs.",
      "It holds until the process ends.\nExamples:\n  huiliu log-level debug 127.0.0.1:9464");
}

}  // namespace huiliu::cli
