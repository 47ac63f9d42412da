#include "service/monitor/top_page.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>

#include "service/monitor/status_reading.h"

namespace huiliu::service {
namespace {

using rapidjson::Value;
using status_reading::each_of;
using status_reading::number;
using status_reading::text;
using status_reading::truth;

struct NodeRates {
  std::string kind, name, watermark;
  double in = 0, out = 0, rejected = 0;  ///< records a second

  /// What it is judged by: a source receives nothing.
  double speed() const { return kind == "source" ? out : in; }
};

class TopPage {
 public:
  TopPage(const Value& before, const Value& now, double seconds)
      : before_(before), now_(now), seconds_(seconds) {}

  std::string run() {
    head();
    nodes();
    sources();
    waits();
    return std::move(out_);
  }

 private:
  double rate(std::uint64_t before, std::uint64_t now) const {
    return now > before && seconds_ > 0 ? static_cast<double>(now - before) / seconds_ : 0;
  }

  void head() {
    out_ += fmt::format("topology {} version {}: {}, {}\n", text(now_, "topology"),
                        text(now_, "version"), text(now_, "state"),
                        truth(now_, "ready") ? "ready" : "NOT READY");
    const std::uint64_t before = number(before_, "epoch"), epoch = number(now_, "epoch");
    const std::string each =
        epoch > before
            ? fmt::format("one every {:.2f} s", seconds_ / static_cast<double>(epoch - before))
            : "none since the last look";
    out_ += fmt::format(
        "epoch {}, {}; last commit {} ms ago, {} bytes read since, {} records to deliver\n", epoch,
        each, number(now_, "last_commit_age_ms"), number(now_, "uncommitted_bytes"),
        number(now_, "outbox_records"));
    each_of(now_, "reasons", [&](const Value& one) {
      out_ += fmt::format("  {} {}: {} (since {})\n", text(one, "code"), text(one, "subject"),
                          text(one, "text"), text(one, "since"));
    });
  }

  std::vector<NodeRates> rates() const {
    std::map<std::string, const Value*> earlier;
    each_of(before_, "nodes", [&](const Value& one) { earlier[text(one, "name")] = &one; });
    std::vector<NodeRates> rates;
    each_of(now_, "nodes", [&](const Value& one) {
      NodeRates node{text(one, "kind"), text(one, "name"), text(one, "watermark")};
      const auto known = earlier.find(node.name);
      const auto of = [&](const char* key) {
        const std::uint64_t count = number(one, key);
        return rate(known == earlier.end() ? count : number(*known->second, key), count);
      };
      node.in = of("received");
      node.out = of("emitted");
      node.rejected = of("rejected");
      rates.push_back(std::move(node));
    });
    std::stable_sort(rates.begin(), rates.end(),
                     [](const NodeRates& a, const NodeRates& b) { return a.speed() < b.speed(); });
    return rates;
  }

  void nodes() {
    out_ += fmt::format("\n{:<9} {:<20} {:>12} {:>12} {:>12}  {}\n", "kind", "name", "in/s",
                        "out/s", "rejected/s", "watermark");
    for (const NodeRates& node : rates()) {
      out_ += fmt::format("{:<9} {:<20} {:>12.1f} {:>12.1f} {:>12.1f}  {}\n", node.kind, node.name,
                          node.in, node.out, node.rejected, node.watermark);
    }
  }

  /// The splits that /status shows are those furthest behind, the first most of all.
  void sources() {
    out_ += fmt::format("\n{:<20} {:>12} {:>16} {:>8} {:>6}  {}\n", "source", "lag", "backlog",
                        "queued", "splits", "furthest behind");
    each_of(now_, "sources", [&](const Value& one) {
      std::uint64_t records = 0, bytes = 0, lag = 0;
      std::string furthest;
      bool first = true;
      each_of(one, "furthest_behind", [&](const Value& split) {
        records += number(split, "backlog_records");
        bytes += number(split, "backlog_bytes");
        if (std::exchange(first, false)) {
          furthest = text(split, "split");
          lag = number(split, "lag_ms");
        }
      });
      const std::string backlog =
          records > 0 ? fmt::format("{} records", records) : fmt::format("{} bytes", bytes);
      const std::string behind =
          lag > 0 ? fmt::format("{:.1f} s", static_cast<double>(lag) / 1000) : "-";
      out_ += fmt::format("{:<20} {:>12} {:>16} {:>8} {:>6}  {}\n", text(one, "name"), behind,
                          backlog, number(one, "queued_slices"), number(one, "splits"),
                          truth(one, "ended") ? "(ended)" : furthest);
    });
  }

  void waits() {
    bool first = true;
    each_of(now_, "waits", [&](const Value& one) {
      if (std::exchange(first, false)) out_ += "\n";
      out_ += fmt::format("{} waits for {} {} ({})\n", text(one, "node"), text(one, "source"),
                          text(one, "split"), text(one, "event_time", "nothing yet"));
    });
  }

  const Value& before_;
  const Value& now_;
  double seconds_;
  std::string out_;
};

bool parse(std::string_view json, rapidjson::Document& to) {
  to.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  return !to.HasParseError() && to.IsObject();
}

}  // namespace

runtime::Result<std::string> top_text(std::string_view before, std::string_view now,
                                      double seconds) {
  rapidjson::Document first, second;
  if (!parse(before, first) || !parse(now, second)) {
    return runtime::Status::invalid("the answer is not what a topology says of itself");
  }
  return TopPage(first, second, seconds).run();
}

}  // namespace huiliu::service
