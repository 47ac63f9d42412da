#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <rapidjson/document.h>

#include "cli/command.h"
#include "cli/log.h"
#include "cli/monitor_address.h"
#include "service/monitor/http_get.h"
#include "service/monitor/status_reading.h"
#include "service/monitor/token.h"

namespace huiliu::cli {
namespace {

struct Options {
  std::string command;  ///< as below /control/
  std::string of, token_file, level;
  int timeout = 30;  ///< seconds
};

std::string target_of(const Options& options) {
  if (!options.level.empty()) return "/control/log-level?level=" + options.level;
  return fmt::format("/control/{}?timeout={}", options.command, options.timeout);
}

std::string in_force_text(const Options& options, std::uint64_t epoch) {
  if (options.command == "pause") {
    return fmt::format("paused: everything that was read is committed with epoch {}", epoch);
  }
  if (options.command == "resume") return fmt::format("goes on after epoch {}", epoch);
  if (options.command == "drain") {
    return fmt::format("drained with epoch {}: everything is delivered, the process ends", epoch);
  }
  return "logs from level " + options.level;
}

/// What the answer means, for people.
int show(const Options& options, const service::HttpAnswer& answer) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(answer.body.data(), answer.body.size());
  if (json.HasParseError() || !json.IsObject()) {
    fmt::print(stderr, "error: {} answers {}: {}", options.of, answer.status, answer.body);
    if (!answer.body.ends_with('\n')) std::fputs("\n", stderr);
    return kFailed;
  }
  if (answer.status == 200) {
    fmt::print("{}\n", in_force_text(options, service::status_reading::number(json, "epoch")));
    return kSuccess;
  }
  fmt::print(stderr, "{}: {}\n", options.command,
             answer.status == 202 ? "asked, and not in force yet; it goes on without being waited "
                                    "for"
                                  : "it will not come into force");
  const auto waits = json.FindMember("waits");
  if (waits == json.MemberEnd() || !waits->value.IsArray()) return kFailed;
  for (const auto& one : waits->value.GetArray()) {
    if (one.IsString()) fmt::print(stderr, "  {}\n", one.GetString());
  }
  return kFailed;
}

int control(const Options& options) {
  const std::string address = monitor_address(options.of);
  if (address.empty()) return kUsage;
  std::string token;
  if (!options.token_file.empty()) {
    auto read = service::read_token(options.token_file);
    if (!read.is_ok()) return report_error(read.status());
    token = std::move(read.value());
  }
  const std::chrono::seconds most(options.timeout + 10);
  const auto answer = service::http_post(address, target_of(options), token, most);
  if (!answer.is_ok()) return report_error(answer.status());
  return show(options, answer.value());
}

void add(CLI::App& app, int& exit_code, const char* name, const char* doc, const char* footer) {
  auto options = std::make_shared<Options>();
  options->command = name;
  CLI::App* command = app.add_subcommand(name, doc);
  command->footer(footer);
  if (options->command == "log-level") {
    command->add_option("level", options->level, "the least that is logged")
        ->required()
        ->check(CLI::IsMember(kLogLevels));
  } else {
    command->add_option("--timeout", options->timeout, "seconds to wait until it is in force")
        ->check(CLI::Range(0, 600))
        ->capture_default_str();
  }
  command->add_option("of", options->of, "IP:PORT, or the topology file that says it")->required();
  command->add_option("--token-file", options->token_file,
                      "file with the token that the topology's `server: {token_file: ...}` has, "
                      "for a process on another machine");
  command->callback([options, &exit_code] { exit_code = control(*options); });
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
