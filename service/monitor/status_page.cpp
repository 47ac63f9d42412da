#include "service/monitor/status_page.h"

#include <algorithm>

#include <fmt/format.h>
#include <rapidjson/document.h>

#include "runtime/base/clock.h"
#include "runtime/base/version.h"
#include "service/monitor/health.h"
#include "service/monitor/status_reading.h"

namespace huiliu::service {
namespace {

using runtime::kEndOfTime;
using runtime::kNoEventTime;

class StatusWriter {
 public:
  StatusWriter(const runtime::Topology& topology, const RunView& view, std::int64_t now_ms)
      : topology_(topology), view_(view), now_ms_(now_ms) {}

  std::string run() {
    json_.StartObject();
    add_run();
    write_readiness(readiness(topology_, view_, now_ms_), json_);
    add_nodes();
    add_sources();
    add_waits();
    json_.EndObject();
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  void text(const char* key, std::string_view value) {
    json_.Key(key);
    json_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void number(const char* key, std::uint64_t value) {
    json_.Key(key);
    json_.Uint64(value);
  }
  void time(const char* key, std::int64_t ms) {
    if (ms == kNoEventTime || ms == kEndOfTime || ms == 0) return;
    text(key, runtime::utc_text(ms));
  }

  void add_run() {
    static constexpr const char* kStates[] = {"starting", "running", "paused"};
    text("topology", topology_.id);
    text("version", topology_.version);
    text("huiliu", runtime::kVersion);
    const auto& asked = view_.progress.asked;
    const bool by_operator = view_.state == RunView::State::kRunning && asked.paused_with;
    text("state", by_operator ? "paused by operator" : kStates[static_cast<int>(view_.state)]);
    if (asked.paused_with) number("paused_with_epoch", *asked.paused_with);
    time("started", view_.started_ms);
    number("openings", view_.openings);
    number("epoch", view_.progress.epoch);
    number("uncommitted_bytes", view_.progress.uncommitted_bytes);
    number("outbox_records", view_.progress.outbox_records);
    const auto& figures = view_.progress.figures;
    if (figures == nullptr) return;
    time("last_commit", figures->epochs.committed_ms);
    const auto age = std::max<std::int64_t>(0, now_ms_ - figures->epochs.committed_ms);
    number("last_commit_age_ms", static_cast<std::uint64_t>(age));
  }

  void add_nodes() {
    json_.Key("nodes");
    json_.StartArray();
    const auto& totals = view_.progress.totals;
    for (std::size_t n = 0; n < topology_.nodes.size() && n < totals.size(); ++n) {
      json_.StartObject();
      text("name", topology_.nodes[n].name);
      text("kind", kind_name(topology_.nodes[n].kind));
      number("received", totals[n].received);
      number("emitted", totals[n].emitted + totals[n].created);
      number("rejected", totals[n].rejected);
      number("dropped", totals[n].dropped);
      number("absorbed", totals[n].absorbed);
      add_node_figures(n);
      json_.EndObject();
    }
    json_.EndArray();
  }

  void add_node_figures(std::size_t n) {
    const auto& figures = view_.progress.figures;
    if (figures == nullptr) return;
    if (n < figures->times.size()) time("watermark", figures->times[n]);
    const runtime::NodeFigures& of = figures->nodes[n];
    if (of.undelivered > 0) number("undelivered_entries", of.undelivered);
    if (of.codes.empty()) return;
    json_.Key("rejects_by_code");
    json_.StartObject();
    for (const auto& [code, count] : of.codes) number(code.c_str(), count);
    json_.EndObject();
  }

  void add_sources() {
    json_.Key("sources");
    json_.StartArray();
    const auto& figures = view_.progress.figures;
    if (figures != nullptr) {
      for (const auto& source : figures->input) add_source(source);
    }
    json_.EndArray();
  }

  void add_source(const runtime::SourceProgress& source) {
    constexpr std::size_t kMostShown = 20;
    json_.StartObject();
    text("name", topology_.nodes[source.node].name);
    number("bytes", source.bytes);
    number("queued_slices", source.queued);
    number("splits", source.splits);
    number("idle_splits", source.idle_splits);
    number("held_splits", source.held_splits);
    json_.Key("ended");
    json_.Bool(source.ended);
    json_.Key("furthest_behind");
    json_.StartArray();
    const std::size_t shown = std::min(kMostShown, source.furthest_behind.size());
    for (std::size_t i = 0; i < shown; ++i) add_split(source.furthest_behind[i]);
    json_.EndArray();
    json_.EndObject();
  }

  void add_split(const runtime::SplitProgress& split) {
    json_.StartObject();
    text("split", split.key);
    time("event_time", split.time);
    if (split.time != kNoEventTime && split.time != kEndOfTime && now_ms_ > split.time) {
      number("lag_ms", static_cast<std::uint64_t>(now_ms_ - split.time));
    }
    time("last_read", split.heard_ms);
    if (split.backlog) {
      number(split.backlog->records ? "backlog_records" : "backlog_bytes", split.backlog->amount);
    }
    json_.Key("idle");
    json_.Bool(split.idle);
    json_.Key("held");
    json_.Bool(split.held);
    json_.EndObject();
  }

  /// Whom nodes with event time wait for.
  void add_waits() {
    json_.Key("waits");
    json_.StartArray();
    const auto& figures = view_.progress.figures;
    for (std::size_t n = 0; figures != nullptr && n < topology_.nodes.size(); ++n) {
      if (!topology_.nodes[n].descriptor->needs_event_time) continue;
      const auto holder = time_holder(topology_, n, figures->input);
      if (!holder) continue;
      json_.StartObject();
      text("node", topology_.nodes[n].name);
      text("source", topology_.nodes[holder->source].name);
      text("split", holder->split);
      time("event_time", holder->time);
      json_.EndObject();
    }
    json_.EndArray();
  }

  const runtime::Topology& topology_;
  const RunView& view_;
  std::int64_t now_ms_;
  rapidjson::StringBuffer buffer_;
  JsonWriter json_{buffer_};
};

using status_reading::each_of;
using status_reading::number;
using status_reading::text;
using status_reading::truth;

/// Reads what StatusWriter wrote.
class StatusReader {
 public:
  explicit StatusReader(const rapidjson::Value& status) : status_(status) {}

  std::string run() {
    out_ = fmt::format("topology {} version {}: {}, {}\n", text(status_, "topology"),
                       text(status_, "version"), text(status_, "state"),
                       truth(status_, "ready") ? "ready" : "NOT READY");
    out_ +=
        fmt::format("epoch {}, last commit {} ({} ms ago), {} bytes read since\n",
                    number(status_, "epoch"), text(status_, "last_commit", "none yet"),
                    number(status_, "last_commit_age_ms"), number(status_, "uncommitted_bytes"));
    each("reasons", [&](const auto& one) {
      out_ += fmt::format("  {} {}: {} (since {})\n", text(one, "code"), text(one, "subject"),
                          text(one, "text"), text(one, "since"));
    });
    nodes();
    sources();
    each("waits", [&](const auto& one) {
      out_ += fmt::format("\n{} waits for {} {} ({})", text(one, "node"), text(one, "source"),
                          text(one, "split"), text(one, "event_time", "nothing yet"));
    });
    if (out_.back() != '\n') out_ += '\n';
    return std::move(out_);
  }

 private:
  template <class Visit>
  void each(const char* key, const Visit& visit) {
    each_of(status_, key, visit);
  }

  void nodes() {
    out_ += fmt::format("\n{:<9} {:<20} {:>12} {:>12} {:>10} {:>10} {:>12}  {}\n", "kind", "name",
                        "received", "emitted", "rejected", "dropped", "absorbed", "watermark");
    each("nodes", [&](const auto& one) {
      out_ += fmt::format("{:<9} {:<20} {:>12} {:>12} {:>10} {:>10} {:>12}  {}\n",
                          text(one, "kind"), text(one, "name"), number(one, "received"),
                          number(one, "emitted"), number(one, "rejected"), number(one, "dropped"),
                          number(one, "absorbed"), text(one, "watermark"));
    });
  }

  void sources() {
    out_ += fmt::format("\n{:<20} {:>8} {:>6} {:>6}  {}\n", "source", "splits", "idle", "held",
                        "furthest behind");
    each("sources", [&](const auto& one) {
      std::string behind;
      each_of(one, "furthest_behind", [&](const auto& split) {
        if (!behind.empty()) return;
        behind = fmt::format("{} {}", text(split, "split"), text(split, "event_time"));
        const std::uint64_t records = number(split, "backlog_records");
        const std::uint64_t bytes = number(split, "backlog_bytes");
        if (records > 0) behind += fmt::format(", {} records behind", records);
        if (bytes > 0) behind += fmt::format(", {} bytes behind", bytes);
      });
      out_ += fmt::format("{:<20} {:>8} {:>6} {:>6}  {}\n", text(one, "name"),
                          number(one, "splits"), number(one, "idle_splits"),
                          number(one, "held_splits"), truth(one, "ended") ? "(ended)" : behind);
    });
  }

  const rapidjson::Value& status_;
  std::string out_;
};

}  // namespace

std::string status_json(const runtime::Topology& topology, const RunView& view,
                        std::int64_t now_ms) {
  return StatusWriter(topology, view, now_ms).run();
}

runtime::Result<std::string> status_text(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) {
    return runtime::Status::invalid("the answer is not what a topology says of itself");
  }
  return StatusReader(document).run();
}

}  // namespace huiliu::service
