#include "service/explain/replay.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "runtime/component/registry.h"
#include "service/explain/earlier.h"
#include "service/temporary_folder.h"

namespace huiliu::service {
namespace {

constexpr const char* kCredit = "topologies/credit/topology.yaml";

/// The records that answer a question about a topology, as replayed.
std::vector<Trace> ask(const runtime::Topology& topology, const Question& question) {
  Recorder recorder(topology, question);
  const ReplayEnd end = replay(topology, recorder);
  EXPECT_TRUE(end.status.is_ok()) << end.status.message();
  return recorder.found();
}

runtime::Topology credit() {
  runtime::Diagnostics diagnostics;
  runtime::Topology topology =
      runtime::load_topology(kCredit, runtime::Registry::linked(), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  return topology;
}

Trace credit_row(const std::string& text) {
  Question question;
  question.row = parse_asked_row(text);
  std::vector<Trace> found = ask(credit(), question);
  EXPECT_EQ(found.size(), 1u) << text;
  return found.empty() ? Trace{} : found.front();
}

const TraceStep* step_of(const Trace& trace, const std::string& node) {
  for (const TraceStep& step : trace.steps) {
    if (step.node == node) return &step;
  }
  return nullptr;
}

/// "before>after" of a field that a node changed; "" if it did not.
std::string change(const Trace& trace, const std::string& node, const std::string& field) {
  const TraceStep* step = step_of(trace, node);
  if (step == nullptr || step->outputs.empty()) return "";
  for (const TraceChange& one : step->outputs.front().changes) {
    if (one.field == field) return one.before.value_or("~") + ">" + one.after.value_or("~");
  }
  return "";
}

/// Where the row went, beside the figures of departments, which count each.
std::vector<std::string> sinks(const Trace& trace) {
  std::vector<std::string> names;
  for (const TraceStep& step : trace.steps) {
    if (step.node.ends_with("_figures")) continue;
    if (step.result == TraceResult::kWritten) names.push_back(step.node);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Replay, ShowsTheWayOfAnAcceptedRow) {
  const Trace trace = credit_row("01_scjg_licence_2018.ndjson:6");
  EXPECT_EQ(trace.steps.front().result, TraceResult::kRead);
  EXPECT_EQ(change(trace, "located", "source_row"), "~>6");
  EXPECT_EQ(change(trace, "compare", "outcome"), "~>ACCEPTED");
  EXPECT_EQ(change(trace, "library", "library"), "~>法人信用信息库");
  EXPECT_EQ(step_of(trace, "compare")->outputs.front().streams,
            (Names{"compare.history", "compare.outcomes", "compare"}));
  EXPECT_FALSE(step_of(trace, "compare")->earlier);
  EXPECT_EQ(sinks(trace), (Names{"history", "outcomes", "legal"}));
  EXPECT_EQ(trace.rejecting_step(), nullptr);
  EXPECT_EQ(trace.diverting_step(), nullptr);
}

TEST(Replay, ShowsTheRuleThatRefusedARow) {
  const Trace trace = credit_row("03_jtys_licence_2018.csv:12");
  const TraceStep* step = trace.rejecting_step();
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->node, "check");
  EXPECT_EQ(step->input, "acts");
  EXPECT_EQ(step->reject->code, "E202_CHECK_DIGIT");
  EXPECT_EQ(step->reject->field, "doc_no");
  EXPECT_EQ(step->reject->rule, "document@2026.2");
  EXPECT_EQ(step->reject->message_en,
            "证件号码: the check digit is wrong, compare it with the licence or certificate");
  EXPECT_EQ(step->reject->message_zh, "证件号码：校验码错误，请与证照原件核对后更正");
  EXPECT_EQ(change(trace, "cleanse", "decided_on"), "2021/05/24>2021-05-24");
  EXPECT_EQ(step_of(trace, "verdict_check")->input, "check.rejects");
  EXPECT_EQ(step_of(trace, "reconciliation")->result, TraceResult::kKept);
  EXPECT_EQ(sinks(trace), (Names{"problems", "rejects", "returned"}));
}

TEST(Replay, ShowsARowThatTheSourceCouldNotRead) {
  const Trace trace = credit_row("12_rsj_blacklist.ndjson:3");
  EXPECT_EQ(trace.rejecting_step(), &trace.steps.front());
  EXPECT_EQ(trace.steps.front().reject->code, "E801_BAD_JSON");
  EXPECT_EQ(sinks(trace), (Names{"problems", "rejects", "returned"}));
}

TEST(Replay, NamesTheEarlierRecordOfADuplicate) {
  const Trace trace = credit_row("01_scjg_licence_2018.ndjson:13");
  EXPECT_EQ(change(trace, "compare", "outcome"), "~>DUPLICATE");
  ASSERT_NE(trace.diverting_step(), nullptr);
  const auto& earlier = trace.diverting_step()->earlier;
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->file, "01_scjg_licence_2018.ndjson");
  EXPECT_EQ(earlier->row, 6u);
}

TEST(Replay, NamesTheRecordOfAnotherFileThatAConflictIsWith) {
  const Trace trace = credit_row("15_xzfw_licence_2018.ndjson:2");
  EXPECT_EQ(change(trace, "compare", "outcome"), "~>CONFLICT");
  ASSERT_TRUE(trace.diverting_step()->earlier);
  EXPECT_EQ(trace.diverting_step()->earlier->file, "04_sthj_licence_2018_gb18030.csv");
  EXPECT_EQ(trace.diverting_step()->earlier->row, 2u);
  EXPECT_EQ(sinks(trace), (Names{"history", "conflicts", "notices", "outcomes"}));
}

TEST(Replay, SaysWhatSetsARecordApartFromTheEarlierOne) {
  std::vector<Trace> traces = {credit_row("15_xzfw_licence_2018.ndjson:2")};
  ASSERT_TRUE(compare_with_earlier(credit(), traces).status.is_ok());
  const TraceStep* step = traces.front().diverting_step();
  EXPECT_TRUE(step->compared);
  Names fields;
  for (const TraceChange& one : step->differences) fields.push_back(one.field);
  EXPECT_EQ(fields, (Names{"content", "source_unit", "source_code", "sender"}));
  EXPECT_EQ(step->differences.back().before, "113508000040020381");
  EXPECT_EQ(step->differences.back().after, "113508000040080933");
}

TEST(Replay, FindsARowOfAWorkbook) {
  const Trace trace = credit_row("topologies/credit/sample/05_zjj_licence_2018.xlsx:13");
  ASSERT_NE(trace.rejecting_step(), nullptr);
  EXPECT_EQ(trace.rejecting_step()->reject->code, "E207_CODE_AS_NUMBER");
  EXPECT_EQ(trace.rejecting_step()->node, "departments");
}

TEST(Replay, FindsValuesAtAnyStepAlsoOfRejects) {
  Question question;
  question.values = {{"reject_code", "E205_DATE_IMPOSSIBLE"}, {"kind", "licence"}};
  question.limit = 1;
  const std::vector<Trace> found = ask(credit(), question);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().rejecting_step()->reject->code, "E205_DATE_IMPOSSIBLE");
  question.values.push_back({"kind", "redlist"});
  EXPECT_TRUE(ask(credit(), question).empty());
}

TEST(Replay, FindsRecordsThatAreMadeFromState) {
  Question question;
  question.values = {{"source_file", "12_rsj_blacklist.ndjson"}, {"count", "3"}};
  const std::vector<Trace> found = ask(credit(), question);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().origin.file, "");
  EXPECT_EQ(found.front().steps.front().node, "reconciliation");
  EXPECT_EQ(found.front().steps.front().result, TraceResult::kMade);
  EXPECT_EQ(sinks(found.front()), (Names{"receipts", "file_reconciliation", "file_summary"}));
}

TEST(Replay, CountsTheRowsOfEachFile) {
  const runtime::Topology topology = credit();
  Question question;
  question.row = parse_asked_row("05_zjj_licence_2018.xlsx:99");
  Recorder recorder(topology, question);
  ASSERT_TRUE(replay(topology, recorder).status.is_ok());
  EXPECT_TRUE(recorder.found().empty());
  const ReadRows& rows = recorder.files().at("05_zjj_licence_2018.xlsx");
  EXPECT_EQ(rows.rows, 17u);
  EXPECT_EQ(rows.last, 17u);
  EXPECT_EQ(rows.nearest, 17u);
}

/// A topology in a folder of its own.
class SmallJob {
 public:
  explicit SmallJob(const std::string& text) {
    const runtime::Config config = runtime::parse_config(text, "t.yaml", diagnostics_);
    topology_ = runtime::build_topology(config, (folder_.path() / "t.yaml").string(),
                                        runtime::Registry::linked(), diagnostics_);
    EXPECT_FALSE(diagnostics_.has_errors()) << diagnostics_.to_string();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  const runtime::Topology& topology() const { return topology_; }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

 private:
  TemporaryFolder folder_;
  runtime::Diagnostics diagnostics_;
  runtime::Topology topology_;
};

constexpr const char* kDedupe =
    "topology: t\n"
    "sources: {in: {type: file, path: in.csv, fields: [id, text]}}\n"
    "operators: {once: {type: dedupe, input: in, key: [id]}}\n"
    "sinks: {out: {type: file, input: once, path: out.csv}, no: {type: file, path: no.csv}}\n"
    "rejects: no\n";

TEST(Replay, NamesTheFirstRecordOfADroppedOne) {
  const SmallJob job(kDedupe);
  job.write("in.csv", "id,text\n1,a\n2,b\n1,c\n1,d\n");
  Question question;
  question.row = parse_asked_row("in.csv:4");
  const std::vector<Trace> found = ask(job.topology(), question);
  ASSERT_EQ(found.size(), 1u);
  const TraceStep* step = found.front().dropping_step();
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->dropped_why, "duplicate");
  ASSERT_TRUE(step->earlier);
  EXPECT_EQ(step->earlier->row, 1u);
}

TEST(Replay, TouchesNeitherOutputsNorState) {
  const SmallJob job(kDedupe);
  job.write("in.csv", "id,text\n1,a\n2,b\n");
  Question question;
  question.values = {{"text", "b"}};
  EXPECT_EQ(ask(job.topology(), question).size(), 1u);
  EXPECT_EQ(job.files(), std::vector<std::string>{"in.csv"});
}

TEST(Replay, SaysThatAnInputIsMissing) {
  const SmallJob job(kDedupe);
  const Question question{.values = {{"text", "b"}}};
  Recorder recorder(job.topology(), question);
  EXPECT_FALSE(replay(job.topology(), recorder).status.is_ok());
}

TEST(Replay, EndsWhenAWatchedFolderHasNothingMore) {
  SmallJob job(
      "topology: t\n"
      "sources: {in: {type: file, path: ., pattern: '*.csv', watch: true, poll: 10ms, fields: "
      "[id]}}\n"
      "sinks: {out: {type: file, input: [in, in.rejects], path: out.ndjson, fields: [id]}}\n");
  job.write("in.csv", "id\n1\n2\n");
  Question question{.values = {{"id", "3"}}};
  Recorder recorder(job.topology(), question);
  ReplayHooks hooks;
  hooks.idle_ms = 200;
  const ReplayEnd end = replay(job.topology(), recorder, hooks);
  EXPECT_TRUE(end.status.is_ok()) << end.status.message();
  EXPECT_TRUE(end.idle);
  EXPECT_EQ(recorder.files().at("in.csv").rows, 2u);
}

}  // namespace
}  // namespace huiliu::service
