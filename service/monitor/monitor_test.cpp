#include <gmock/gmock.h>
#include <rapidjson/document.h>

#include "runtime/base/clock.h"
#include "runtime/component/registry.h"
#include "service/monitor/health.h"
#include "service/monitor/monitor_server.h"
#include "service/monitor/status_page.h"

namespace huiliu::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kNow = 1'800'000'000'000;

class MonitorTest : public ::testing::Test {
 protected:
  MonitorTest() {
    runtime::Diagnostics diagnostics;
    const runtime::Config config = runtime::parse_config(
        "topology: t\nepoch: 1s\nsources: {in: {type: file, path: in, watch: true, event_time: ts, "
        "fields: [k, {name: ts, type: int64}]}}\n"
        "operators: {windows: {type: window_count, input: in, key: k, window: 1s}}\n"
        "sinks: {out: {type: file, input: windows, path: out}, bad: {type: file, path: bad}}\n"
        "rejects: bad\n",
        "/tmp/t.yaml", diagnostics);
    topology_ =
        runtime::build_topology(config, "/tmp/t.yaml", runtime::Registry::linked(), diagnostics);
    EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
    view_.state = RunView::State::kRunning;
    view_.told_ms = kNow - 100;
    view_.progress.epoch = 7;
    view_.progress.totals.resize(topology_.nodes.size());
    view_.progress.threads.resize(1);
    auto figures = std::make_shared<runtime::RunFigures>();
    figures->epochs.number = 7;
    figures->epochs.committed_ms = kNow - 2000;
    figures->nodes.resize(topology_.nodes.size());
    figures->nodes[0].codes["E101_MISSING"] = 3;
    figures->times.assign(topology_.nodes.size(), runtime::kNoEventTime);
    runtime::SourceProgress source;
    source.splits = 1;
    source.furthest_behind.push_back(
        {.key = "a.csv", .time = kNow - 60'000, .heard_ms = kNow, .backlog = runtime::Backlog{9}});
    figures->input.push_back(source);
    view_.progress.figures = figures;
    figures_ = figures.get();
  }

  net::HttpResponse get(const std::string& path) {
    return answer_monitor({.method = "GET", .path = path}, topology_, view_, kNow);
  }

  runtime::Topology topology_;
  RunView view_;
  runtime::RunFigures* figures_ = nullptr;
};

TEST_F(MonitorTest, MetricsHaveTheTopologysNames) {
  const net::HttpResponse page = get("/metrics");
  EXPECT_EQ(page.status, 200u);
  EXPECT_THAT(page.content_type, HasSubstr("version=0.0.4"));
  EXPECT_THAT(
      page.body,
      HasSubstr("huiliu_rejects_total{topology=\"t\",node=\"in\",code=\"E101_MISSING\"} 3"));
  EXPECT_THAT(
      page.body,
      HasSubstr("huiliu_split_backlog_bytes{topology=\"t\",node=\"in\",split=\"a.csv\"} 9"));
  EXPECT_THAT(page.body, HasSubstr("# TYPE huiliu_epoch_commit_seconds histogram"));
  EXPECT_THAT(page.body, HasSubstr("huiliu_ready{topology=\"t\"} 1"));
}

TEST_F(MonitorTest, WhatSinksSayIsThereBeforeTheFirstCommit) {
  view_.progress.figures = nullptr;
  view_.progress.sink_figures = std::make_shared<std::vector<runtime::Figure>>(
      std::vector<runtime::Figure>{{"by_dept_records_total", "Records.", {{"dept", "税"}}, 2, true},
                                   {"by_dept_expected_seconds", "Time.", {{"dept", "税"}}, 3}});
  const std::string page = get("/metrics").body;
  EXPECT_THAT(page, HasSubstr("# TYPE huiliu_by_dept_records_total counter"));
  EXPECT_THAT(page, HasSubstr("huiliu_by_dept_records_total{topology=\"t\",dept=\"税\"} 2"));
  EXPECT_THAT(page, HasSubstr("# TYPE huiliu_by_dept_expected_seconds gauge"));
}

TEST_F(MonitorTest, ItIsReadyUnlessSomethingKeepsItFromItsWork) {
  EXPECT_EQ(get("/readyz").status, 200u);
  view_.progress.away["out"] = {"disk full", kNow - 5000, 4};
  EXPECT_EQ(get("/readyz").status, 503u);
  EXPECT_THAT(get("/readyz").body, HasSubstr("\"code\":\"away\",\"subject\":\"out\",\"text\":"
                                             "\"disk full; tried 4 times\""));
  view_.progress.away.clear();
  view_.state = RunView::State::kStarting;
  EXPECT_THAT(get("/readyz").body, HasSubstr("\"code\":\"starting\""));
}

TEST_F(MonitorTest, ARestoreSaysHowFarItIs) {
  view_.state = RunView::State::kStarting;
  view_.restoring = {"t.seen.changelog", 300, 1000, 5 << 20};
  EXPECT_THAT(get("/readyz").body,
              HasSubstr("\"code\":\"restoring\",\"subject\":\"t.seen.changelog\",\"text\":"
                        "\"30 % of the state in it are read, 5 MiB so far\""));
  EXPECT_THAT(get("/metrics").body,
              HasSubstr("huiliu_restore_share{topology=\"t\",of=\"t.seen.changelog\"} 0.3"));
}

TEST_F(MonitorTest, SinksSayWhenTheyLastTookRecordsAndComponentsHowOftenTheyFailed) {
  EXPECT_THAT(get("/metrics").body, Not(HasSubstr("last_success")));
  const auto out = topology_.nodes.size() - 1;
  figures_->nodes[out].written_ms = kNow;
  view_.progress.retries["out"] = 12;
  const std::string page = get("/metrics").body;
  EXPECT_THAT(page, HasSubstr("huiliu_sink_last_success_timestamp_seconds{topology=\"t\",sink=\"" +
                              topology_.nodes[out].name + "\"} 1800000000"));
  EXPECT_THAT(page,
              HasSubstr("huiliu_component_retries_total{topology=\"t\",component=\"out\"} 12"));
}

TEST_F(MonitorTest, AnEpochIsOverdueOnlyIfSomethingWasRead) {
  figures_->epochs.committed_ms = kNow - 11'000;
  EXPECT_EQ(get("/readyz").status, 200u);
  view_.progress.uncommitted_bytes = 5;
  EXPECT_THAT(get("/readyz").body, HasSubstr("epoch_overdue"));
  figures_->epochs.committed_ms = kNow - 9'000;
  EXPECT_EQ(get("/readyz").status, 200u);
}

TEST_F(MonitorTest, ItLivesAsLongAsItsThreadsTellOfThemselves) {
  EXPECT_EQ(get("/livez").status, 200u);
  view_.told_ms = kNow - 61'000;
  EXPECT_EQ(get("/livez").status, 503u);
}

TEST_F(MonitorTest, StatusIsJsonAndText) {
  const std::string json = get("/status").body;
  rapidjson::Document document;
  document.Parse(json.c_str());
  ASSERT_FALSE(document.HasParseError()) << json;
  EXPECT_EQ(document["epoch"].GetUint64(), 7u);
  auto text = status_text(json);
  ASSERT_TRUE(text.is_ok());
  EXPECT_THAT(*text, HasSubstr("topology t version 1: running, ready"));
  EXPECT_THAT(*text, HasSubstr("windows waits for in a.csv (" + runtime::utc_text(kNow - 60'000)));
  EXPECT_FALSE(status_text("[]").is_ok());
  EXPECT_TRUE(status_text("{}").is_ok()) << "of another version";
}

TEST_F(MonitorTest, OtherPagesAndMethodsAreRefused) {
  EXPECT_EQ(get("/").status, 200u);
  EXPECT_EQ(get("/metrics/").status, 404u);
  EXPECT_EQ(answer_monitor({.method = "DELETE", .path = "/metrics"}, topology_, view_, kNow).status,
            405u);
}

TEST(RunMonitorTest, WhatItIsToldGoesOnInItsOrder) {
  struct Next final : RunObserver {
    std::string calls;
    void importing(const std::string&) override { calls += "importing "; }
    void opened(const runtime::EngineProgress&) override { calls += "opened "; }
    void progress(const runtime::EngineProgress&) override { calls += "progress "; }
    void paused() override { calls += "paused "; }
  };
  Next next;
  RunMonitor monitor(next);
  runtime::EngineProgress progress;
  progress.epoch = 3;
  monitor.restoring({"topic", 1, 2, 3});
  EXPECT_EQ(monitor.view().restoring->done, 1u);
  monitor.opened(progress);
  EXPECT_FALSE(monitor.view().restoring);
  EXPECT_EQ(monitor.view().progress.epoch, 3u);
  monitor.progress(progress);
  monitor.paused();
  EXPECT_EQ(next.calls, "opened progress paused ");
  EXPECT_EQ(monitor.view().openings, 1u);
}

}  // namespace
}  // namespace huiliu::service
