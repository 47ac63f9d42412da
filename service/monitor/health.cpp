#include "service/monitor/health.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/clock.h"

namespace huiliu::service {
namespace {

constexpr std::int64_t kLeastOverdueMs = 10'000;
constexpr std::int64_t kSilentMs = 60'000;

}  // namespace

std::int64_t epoch_overdue_ms(const runtime::Topology& topology) {
  return std::max(kLeastOverdueMs, 10 * topology.epoch_ms);
}

Readiness readiness(const runtime::Topology& topology, const RunView& view, std::int64_t now_ms) {
  Readiness readiness;
  auto& reasons = readiness.reasons;
  if (view.state == RunView::State::kStarting) {
    reasons.push_back(
        {"starting", "", "the state and the components are being opened", view.since_ms});
  } else if (view.state == RunView::State::kPaused) {
    reasons.push_back({"paused", "",
                       "it starts again at the last committed epoch; the log says why",
                       view.since_ms});
  }
  if (const auto& at = view.restoring) {
    const std::uint64_t percent = 100 * at->done / std::max<std::uint64_t>(at->all, 1);
    reasons.push_back(
        {"restoring", at->what,
         fmt::format("{} % of the state in it are read, {} MiB so far", percent, at->bytes >> 20),
         view.since_ms});
  }
  const auto& asked = view.progress.asked;
  if (asked.drain_asked) {
    reasons.push_back({"draining", "",
                       "an operator asked for it; the process ends when all is done",
                       view.asked_since_ms});
  } else if (asked.pause_asked) {
    const std::string text =
        asked.paused_with ? fmt::format("nothing is read since epoch {}; `huiliu resume` goes on",
                                        *asked.paused_with)
                          : "nothing more is read; what was read is being committed";
    reasons.push_back({"paused_by_operator", "", text, view.asked_since_ms});
  }
  for (const auto& [component, away] : view.progress.away) {
    reasons.push_back({"away", component, fmt::format("{}; tried {} times", away.why, away.tries),
                       away.since_ms});
  }
  if (view.state != RunView::State::kRunning || view.progress.uncommitted_bytes == 0) {
    return readiness;
  }
  const auto& figures = view.progress.figures;
  const std::int64_t committed = figures ? figures->epochs.committed_ms : view.since_ms;
  if (now_ms - committed < epoch_overdue_ms(topology)) return readiness;
  reasons.push_back({"epoch_overdue", "",
                     fmt::format("{} bytes were read and nothing is committed since",
                                 view.progress.uncommitted_bytes),
                     committed});
  return readiness;
}

bool is_alive(const RunView& view, std::int64_t now_ms) {
  return view.state != RunView::State::kRunning || now_ms - view.told_ms < kSilentMs;
}

void write_readiness(const Readiness& readiness, JsonWriter& json) {
  const auto text = [&](const char* key, std::string_view value) {
    json.Key(key);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.Key("ready");
  json.Bool(readiness.ready());
  json.Key("reasons");
  json.StartArray();
  for (const Readiness::Reason& reason : readiness.reasons) {
    json.StartObject();
    text("code", reason.code);
    text("subject", reason.subject);
    text("text", reason.text);
    text("since", runtime::utc_text(reason.since_ms));
    json.EndObject();
  }
  json.EndArray();
}

std::string readiness_json(const Readiness& readiness) {
  rapidjson::StringBuffer buffer;
  JsonWriter json(buffer);
  json.StartObject();
  write_readiness(readiness, json);
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace huiliu::service
