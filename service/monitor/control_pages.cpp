#include "service/monitor/control_pages.h"

#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/base/clock.h"
#include "service/monitor/health.h"

namespace huiliu::service {
namespace {

constexpr const char* kJson = "application/json";
constexpr const char* kWrongTimeout = "timeout is a number of seconds up to 600\n";

void text(JsonWriter& json, const char* key, std::string_view value) {
  json.Key(key);
  json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

/// {"command": ..., "in_force": ..., "epoch": ..., "waits": [...]}
net::HttpResponse told(unsigned status, const std::string& command, std::uint64_t epoch,
                       const std::vector<std::string>& waits, const std::string& name = "") {
  rapidjson::StringBuffer buffer;
  JsonWriter json(buffer);
  json.StartObject();
  text(json, "command", command);
  json.Key("in_force");
  json.Bool(status == 200);
  json.Key("epoch");
  json.Uint64(epoch);
  if (!name.empty()) text(json, "name", name);
  json.Key("waits");
  json.StartArray();
  for (const std::string& one : waits) {
    json.String(one.data(), static_cast<rapidjson::SizeType>(one.size()));
  }
  json.EndArray();
  json.EndObject();
  return {.status = status,
          .content_type = kJson,
          .body = std::string(buffer.GetString(), buffer.GetSize()) + "\n"};
}

/// Nothing if it is no number of seconds that may be waited.
std::optional<int> timeout_of(const std::string& query) {
  constexpr int kUsual = 30, kMost = 600;
  const std::string value = query_value(query, "timeout");
  if (value.empty()) return kUsual;
  int seconds = -1;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (read.ec != std::errc() || read.ptr != value.data() + value.size()) return std::nullopt;
  if (seconds < 0 || seconds > kMost) return std::nullopt;
  return seconds;
}

/// What a run has still to do before it has committed and delivered what it has read.
std::vector<std::string> waits_of(const RunView& view, const Readiness& readiness) {
  std::vector<std::string> waits;
  const auto& progress = view.progress;
  if (progress.uncommitted_bytes > 0) {
    waits.push_back(fmt::format("{} bytes are read and not committed", progress.uncommitted_bytes));
  }
  for (const std::string& sink : progress.delivering) {
    waits.push_back(fmt::format("sink {} has not delivered all that is committed", sink));
  }
  for (const Readiness::Reason& reason : readiness.reasons) {
    if (reason.code == "draining" || reason.code == "paused_by_operator") continue;
    waits.push_back(fmt::format("{}{}{}: {}", reason.code, reason.subject.empty() ? "" : " ",
                                reason.subject, reason.text));
  }
  return waits;
}

}  // namespace

std::string query_value(const std::string& query, const std::string& name) {
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string pair = query.substr(at, end - at);
    if (pair.starts_with(name + "=")) return pair.substr(name.size() + 1);
    at = end + 1;
  }
  return "";
}

ControlPages::ControlPages(const runtime::Topology& topology, RunControl& control,
                           const RunMonitor& monitor, ControlAccess access,
                           SetLogLevel set_log_level)
    : topology_(topology),
      control_(control),
      monitor_(monitor),
      access_(std::move(access)),
      set_log_level_(std::move(set_log_level)) {}

net::HttpResponse ControlPages::answer(const net::HttpRequest& request) {
  if (auto no = refused(request, access_)) {
    // Nothing that a stranger can choose is in it: messages that differ would not be counted as
    // one.
    spdlog::warn("a command from {} was refused with {}", request.peer, no->status);
    return *no;
  }
  const std::string command = request.path.substr(std::string("/control/").size());
  if (command == "pause" || command == "resume" || command == "drain") return ask(request, command);
  if (command == "snapshot") return snapshot(request);
  if (command == "log-level") return log_level(request);
  return {.status = 404, .body = "there is no such command; / lists them\n"};
}

net::HttpResponse ControlPages::ask(const net::HttpRequest& request,
                                    const std::string& command) const {
  const auto seconds = timeout_of(request.query);
  if (!seconds) return {.status = 400, .body = kWrongTimeout};
  spdlog::info("{} is asked from {}", command, request.peer);
  if (command == "pause") control_.pause();
  if (command == "resume") control_.resume();
  if (command == "drain") control_.drain();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(*seconds);
  net::HttpResponse response;
  response.later = [this, command, until]() -> std::optional<net::HttpResponse> {
    if (auto done = outcome(command)) return done;
    if (std::chrono::steady_clock::now() < until) return std::nullopt;
    return not_yet(command);
  };
  return response;
}

// Pages are made of the view, so a command counts as in force when the view shows it too: who has
// the answer and asks for /readyz must not hear the opposite.
std::optional<net::HttpResponse> ControlPages::outcome(const std::string& command) const {
  const auto phase = control_.phase();
  const RunView view = monitor_.view();
  if (phase == RunControl::Phase::kDrained && command == "drain") {
    return told(200, command, view.progress.epoch, {});
  }
  if (phase != RunControl::Phase::kGoesOn) {
    return told(409, command, view.progress.epoch, {"the run has ended"});
  }
  if (command == "drain") return std::nullopt;
  const bool pauses = command == "pause";
  if (control_.drain_asked()) {
    return told(409, command, view.progress.epoch, {"the run drains, and then ends"});
  }
  const runtime::OperatorState asked = control_.asked();
  if (asked.pause_asked != pauses) {
    return told(409, command, view.progress.epoch, {"the opposite was asked meanwhile"});
  }
  if (view.state != RunView::State::kRunning || view.progress.asked != asked) return std::nullopt;
  if (asked.paused_with.has_value() != pauses) return std::nullopt;
  return told(200, command, asked.paused_with.value_or(view.progress.epoch), {});
}

net::HttpResponse ControlPages::not_yet(const std::string& command) const {
  const RunView view = monitor_.view();
  const Readiness now = readiness(topology_, view, runtime::system_clock().now_ms());
  return told(202, command, view.progress.epoch, waits_of(view, now));
}

net::HttpResponse ControlPages::snapshot(const net::HttpRequest& request) {
  const auto seconds = timeout_of(request.query);
  if (!seconds) return {.status = 400, .body = kWrongTimeout};
  if (topology_.snapshots.empty()) {
    return {.status = 400, .body = "the topology does not say `server: {snapshots: FOLDER}`\n"};
  }
  if (copy_ && !copy_->done) {
    return told(409, "snapshot", 0, {"a snapshot is being made: " + copy_->name});
  }
  spdlog::info("snapshot is asked from {}", request.peer);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  copy_ = std::make_shared<Copy>();
  copy_->name = fmt::format("{}-{:%Y%m%dT%H%M%SZ}", topology_.id, now);
  copy_->thread = std::jthread([this, raw = copy_.get()] {
    raw->epoch = control_.snapshot(topology_.snapshots, raw->name);
    raw->done = true;
  });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(*seconds);
  net::HttpResponse response;
  response.later = [this, copy = copy_, until]() -> std::optional<net::HttpResponse> {
    if (auto done = copied(*copy)) return done;
    if (std::chrono::steady_clock::now() < until) return std::nullopt;
    return told(202, "snapshot", 0, {"it is still being written to " + copy->name}, copy->name);
  };
  return response;
}

std::optional<net::HttpResponse> ControlPages::copied(const Copy& copy) const {
  if (!copy.done) return std::nullopt;
  if (copy.epoch.is_ok()) return told(200, "snapshot", copy.epoch.value(), {}, copy.name);
  return told(500, "snapshot", 0, {copy.epoch.status().message()});
}

net::HttpResponse ControlPages::log_level(const net::HttpRequest& request) const {
  const std::string level = query_value(request.query, "level");
  if (!set_log_level_ || !set_log_level_(level)) {
    return {.status = 400,
            .body =
                "level is one of trace, debug, info, warning, error, off: "
                "/control/log-level?level=debug\n"};
  }
  return {.content_type = kJson,
          .body = fmt::format("{{\"command\":\"log-level\",\"in_force\":true,\"level\":\"{}\"}}\n",
                              level)};
}

}  // namespace huiliu::service
