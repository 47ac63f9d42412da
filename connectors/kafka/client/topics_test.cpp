#include "connectors/kafka/client/topics.h"

#include <memory>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/backend/topic_names.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"
#include "runtime/topology/topology.h"

namespace huiliu::connectors::kafka {
namespace {

using connectors::testing::config_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// The linked types and `keyed`, an operator with a key and tables `seen` and `b_seen`.
const runtime::Registry& types() {
  static const auto made = [] {
    auto registry = std::make_unique<runtime::Registry>(&runtime::Registry::linked());
    runtime::OperatorType keyed;
    keyed.descriptor.name = "keyed";
    keyed.descriptor.keyed = true;
    keyed.declare = [](runtime::Declaration& declaration) {
      declaration.key_fields = {"text"};
      declaration.output = declaration.input();
      declaration.tables = {{.name = "seen", .layout = "seen"},
                            {.name = "b_seen", .layout = "seen"}};
    };
    registry->add(std::move(keyed));
    return registry;
  }();
  return *made;
}

/// What is wrong with a topology of two such operators and one output.
std::string wrong_with(const std::string& id, const std::string& first, const std::string& second,
                       const std::string& output, const std::string& workers = "one") {
  const runtime::Config config = config_of(
      "topology: " + id + "\nrejects: bad\n" +
      "backend: {type: kafka, bootstrap: localhost, workers: " + workers + "}\n" +
      "sources:\n  in: {type: kafka, topic: input, format: raw, fields: [text]}\noperators:\n  " +
      first + ": {type: keyed, input: in}\n  " + second + ": {type: keyed, input: " + first +
      "}\nsinks:\n  out: {type: kafka, input: " + second + ", topic: " + output +
      "}\n  bad: {type: kafka, topic: bad}\n");
  runtime::Diagnostics diagnostics;
  runtime::build_topology(config, "test.yaml", types(), diagnostics);
  return diagnostics.has_errors() ? diagnostics.to_string() : "";
}

TEST(KafkaTopicNamesTest, AreCheckedWithTheTopology) {
  EXPECT_EQ(wrong_with("licences", "once", "twice", "output"), "");
  EXPECT_EQ(wrong_with("licences", "once", "twice", "output", "several"), "");
}

TEST(KafkaTopicNamesTest, MayNotBeTooLong) {
  constexpr std::size_t kOthers = std::string_view("..b_seen.changelog").size();
  const std::string id(128, 'i'), longest(249 - 128 - kOthers, 'n');
  EXPECT_EQ(wrong_with(id, longest, "b", "output"), "");
  EXPECT_THAT(wrong_with(id, longest + "n", "b", "output"),
              AllOf(HasSubstr("test.yaml:7:"), HasSubstr("has 250 characters"),
                    HasSubstr(".b_seen.changelog"), HasSubstr("shorten the name")));
}

TEST(KafkaTopicNamesTest, MayNotCollide) {
  EXPECT_THAT(wrong_with("licences", "a", "a_b", "output"),
              AllOf(HasSubstr("test.yaml:8:"), HasSubstr("'licences.a_b.seen.changelog'"),
                    HasSubstr("'licences.a.b_seen.changelog'"), HasSubstr("another name")));
  EXPECT_THAT(wrong_with("licences", "once", "twice", "licences.progress"),
              AllOf(HasSubstr("test.yaml:10:"),
                    HasSubstr("keeps the topic 'licences.progress' for the progress"),
                    HasSubstr("taken for state")));
  EXPECT_THAT(wrong_with("licences", "once", "twice", "licences_once_seen.changelog"),
              HasSubstr("which the topology keeps for table once.seen"));
  // These are there with several workers only.
  EXPECT_EQ(wrong_with("licences", "once", "twice", "licences.work"), "");
  EXPECT_THAT(wrong_with("licences", "once", "twice", "licences.work", "several"),
              HasSubstr("the workers' shares"));
  EXPECT_THAT(wrong_with("licences", "once", "twice", "licences.once.repartition", "several"),
              HasSubstr("the input of operator once"));
}

// Without a handle the brokers would be asked for all topics, and the first one be taken.
TEST(KafkaTopicsTest, ANameThatLibrdkafkaRefusesIsAnErrorAtOnce) {
  auto client = make_client(RD_KAFKA_PRODUCER, {.bootstrap = "127.0.0.1:1", .settings = {}}, {});
  ASSERT_TRUE(client.is_ok());
  const auto count = partition_count(client->get(), std::string(600, 'a'));
  EXPECT_EQ(count.status().code(), runtime::StatusCode::kInvalid);
  EXPECT_THAT(count.status().message(), HasSubstr("1 to 249 letters"));
}

/// What the state says of a sink's form.
std::string layout_with(const std::string& options) {
  const runtime::Config config = config_of(
      "topology: forms\nrejects: bad\nbackend: {type: kafka, bootstrap: localhost}\n"
      "sources:\n  in: {type: kafka, topic: input, format: json, fields: [b, a]}\n"
      "sinks:\n  out: {type: kafka, input: in, topic: output" +
      options + "}\n  bad: {type: kafka, topic: bad}\n");
  runtime::Diagnostics diagnostics;
  const auto topology =
      runtime::build_topology(config, "test.yaml", runtime::Registry::linked(), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  return topology.find("out")->sink_declaration->layout;
}

TEST(KafkaSinkLayoutTest, IsTheFormThatConsumersRead) {
  EXPECT_EQ(layout_with(""), "format=json");
  EXPECT_EQ(layout_with(", fields: [a], nulls: \"null\""), "format=json");
  EXPECT_EQ(layout_with(", format: csv, delimiter: \";\""),
            "format=csv delimiter=';' columns=(b, a)");
  EXPECT_EQ(layout_with(", format: flatbuffers, fields: [a]"), "format=flatbuffers columns=(a)");
}

}  // namespace
}  // namespace huiliu::connectors::kafka
