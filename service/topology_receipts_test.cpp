// What a topology makes of SINK.receipts.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/component/registry.h"
#include "runtime/topology/topology.h"

namespace huiliu::service {
namespace {

using runtime::Diagnostics;
using runtime::Topology;

constexpr const char* kTopology = R"(topology: push
rejects: refused
sources:
  made: {{type: generate, count: 1, fields: [{{name: id, sequence: {{from: 0}}}}, {{name: {field}, constant: a}}]}}
sinks:
  platform: {{type: http, input: {input}, url: "http://127.0.0.1:1/x"{more}}}
  told: {{type: {type}, input: {read}, path: out.ndjson, format: ndjson}}
  refused: {{type: file, input: made, path: refused.ndjson, format: ndjson}}
)";

struct Words {
  const char* field = "name";
  const char* input = "made";
  const char* more = "";
  const char* read = "platform.receipts";
};

class ReceiptsStreamTest : public ::testing::Test {
 protected:
  Topology load(const Words& words) {
    const std::string text = fmt::format(
        kTopology, fmt::arg("field", words.field), fmt::arg("input", words.input),
        fmt::arg("more", words.more), fmt::arg("type", "file"), fmt::arg("read", words.read));
    diagnostics_ = {};
    return runtime::build_topology(runtime::parse_config(text, "t.yaml", diagnostics_), "t.yaml",
                                   runtime::Registry::linked(), diagnostics_);
  }
  std::string errors() const {
    std::string all;
    for (const auto& one : diagnostics_.all()) all += one.message + "\n";
    return all;
  }
  Diagnostics diagnostics_;
};

TEST_F(ReceiptsStreamTest, IsASourceWithTheRowBehindWhatWasSaidOfIt) {
  const Topology topology = load({});
  ASSERT_EQ(errors(), "");
  const runtime::Node* source = topology.find("platform.receipts");
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->kind, runtime::ComponentKind::kSource);
  EXPECT_EQ(
      source->outputs[0].schema.to_string(),
      "receipt_time: timestamp, receipt_batch: string, receipt_index: int64, receipt_outcome: "
      "string, receipt_code: string, receipt_message: string, receipt_number: string, id: "
      "int64, name: string");
  // What the receiver refuses goes to the topology's rejects.
  const runtime::Node* refused = topology.find("refused");
  ASSERT_EQ(refused->inputs.size(), 2u);
}

TEST_F(ReceiptsStreamTest, RejectsAloneAreEnough) {
  const Topology topology = load({.read = "platform.rejects"});
  ASSERT_EQ(errors(), "");
  EXPECT_NE(topology.find("platform.receipts"), nullptr);
}

TEST_F(ReceiptsStreamTest, IsNotThereUnlessSomebodyReadsIt) {
  const Topology topology = load({.more = ", dead_letters: d", .read = "made"});
  ASSERT_EQ(errors(), "");
  EXPECT_EQ(topology.find("platform.receipts"), nullptr);
}

TEST_F(ReceiptsStreamTest, RowsThatAreRefusedMustGoSomewhere) {
  load({.read = "made"});
  EXPECT_EQ(errors(), "rows that the receiver refuses go nowhere\n");
}

TEST_F(ReceiptsStreamTest, ASinkDoesNotReadItsOwn) {
  load({.input = "[made, platform.receipts]"});
  EXPECT_NE(errors().find("form a cycle"), std::string::npos) << errors();
}

TEST_F(ReceiptsStreamTest, AFieldDoesNotHideOneOfTheReceipts) {
  load({.field = "receipt_code"});
  EXPECT_NE(errors().find("'receipt_code', which receipts have themselves"), std::string::npos);
}

TEST_F(ReceiptsStreamTest, OtherSinksHaveNone) {
  load({.read = "[refused.receipts]"});
  EXPECT_NE(errors().find("a sink of type file does not learn"), std::string::npos) << errors();
}

}  // namespace
}  // namespace huiliu::service
