#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/component/registry.h"
#include "service/explain/replay.h"
#include "service/temporary_folder.h"

namespace huiliu::service {
namespace {

using ::testing::ElementsAre;

/// Rows go to a topic of their kind; no broker is asked.
constexpr const char* kTopology = R"(
topology: t
rejects: problems
backend: {type: kafka, bootstrap: "localhost:1"}
sources:
  in: {type: file, path: in.csv, fields: [id, kind, note]}
sinks:
  out:
    type: kafka
    input: in
    topic: "out.{kind}"
    topics: [out.open, out.closed]
    max_message_bytes: 1000
    provenance: false
  problems: {type: kafka, topic: problems, fields: [id, reject_code, reject_by]}
)";

TEST(ExplainSinkRejects, FindsARecordThatASinkRefusedWithItsReason) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "in.csv")
      << "id,kind,note\n1,open,a\n2,shut,b\n3,open," << std::string(2000, 'x') << "\n";
  const std::string path = (folder.path() / "t.yaml").string();
  std::ofstream(path) << kTopology;
  runtime::Diagnostics diagnostics;
  const runtime::Topology topology =
      runtime::load_topology(path, runtime::Registry::linked(), diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  Question question;
  question.values = {{"reject_by", "out"}};
  question.limit = 5;
  Recorder recorder(topology, question);
  const ReplayEnd end = replay(topology, recorder);
  ASSERT_TRUE(end.status.is_ok()) << end.status.message();
  std::vector<std::string> found;
  for (const Trace& trace : recorder.found()) {
    const TraceStep* step = trace.rejecting_step();
    ASSERT_NE(step, nullptr);
    found.push_back(std::to_string(trace.origin.row) + " " + step->node + " " + step->reject->code +
                    " " + trace.steps.back().node);
    EXPECT_EQ(trace.steps.back().result, TraceResult::kWritten);
  }
  EXPECT_THAT(found, ElementsAre("2 out E812_TOPIC_UNKNOWN problems",
                                 "3 out E811_MESSAGE_TOO_LARGE problems"));
}

}  // namespace
}  // namespace huiliu::service
