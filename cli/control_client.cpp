#include "cli/control_client.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <rapidjson/document.h>

#include "cli/command.h"
#include "net/http_get.h"
#include "net/token.h"
#include "service/monitor/status_reading.h"

namespace huiliu::cli {
namespace {

std::string target_of(const ControlCommand& command) {
  if (!command.level.empty()) return "/control/log-level?level=" + command.level;
  return fmt::format("/control/{}?timeout={}", command.name, command.timeout);
}

std::string in_force_text(const ControlCommand& command, const rapidjson::Value& answer) {
  const std::uint64_t epoch = service::status_reading::number(answer, "epoch");
  if (command.name == "pause") {
    return fmt::format("paused: everything that was read is committed with epoch {}", epoch);
  }
  if (command.name == "resume") return fmt::format("goes on after epoch {}", epoch);
  if (command.name == "drain") {
    return fmt::format("drained with epoch {}: everything is delivered, the process ends", epoch);
  }
  if (command.name == "snapshot") {
    return fmt::format("{}: the state of epoch {}, in the folder that the topology says",
                       service::status_reading::text(answer, "name"), epoch);
  }
  return "logs from level " + command.level;
}

/// What the answer means, for people.
int show(const ControlCommand& command, const net::HttpAnswer& answer) {
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(answer.body.data(), answer.body.size());
  if (json.HasParseError() || !json.IsObject()) {
    fmt::print(stderr, "error: {} answers {}: {}", command.to.of, answer.status, answer.body);
    if (!answer.body.ends_with('\n')) std::fputs("\n", stderr);
    return kFailed;
  }
  if (answer.status == 200) {
    fmt::print("{}\n", in_force_text(command, json));
    return kSuccess;
  }
  fmt::print(stderr, "{}: {}\n", command.name,
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

}  // namespace

int give_command(const ControlCommand& command) {
  const auto peer = monitor_peer(command.to);
  if (!peer) return kUsage;
  std::string token;
  if (!command.token_file.empty()) {
    auto read = net::read_token(command.token_file);
    if (!read.is_ok()) return report_error(read.status());
    token = std::move(read.value());
  }
  const std::chrono::seconds most(command.timeout + 10);
  const auto answer = net::http_post(*peer, target_of(command), token, most);
  if (!answer.is_ok()) return report_error(answer.status());
  return show(command, answer.value());
}

}  // namespace huiliu::cli
