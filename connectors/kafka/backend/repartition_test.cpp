#include "connectors/kafka/backend/repartition.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/client/message_frame.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"
#include "runtime/topology/plan.h"
#include "runtime/topology/repartition.h"

namespace huiliu::connectors::kafka {
namespace {

using connectors::testing::Collector;
using runtime::ComponentKind;
using runtime::Config;
using runtime::Diagnostics;
using runtime::Node;
using runtime::Record;
using runtime::Topology;
using runtime::Type;
using runtime::Value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

runtime::Schema schema() {
  runtime::Schema made;
  made.add("name", Type::kString);
  made.add("amount", Type::kInt64);
  return made;
}

Config sink_config() {
  return Config::map({{"topic", Config::scalar("t.x.repartition")},
                      {"key", Config::list({Config::scalar("name")})},
                      {"shards", Config::scalar("8")}});
}

/// What the sink would put into one message of the shard.
std::string message_of(const std::string& entries, std::set<std::uint32_t>& shards) {
  std::string message(1, kRowsVersion);
  const std::uint64_t form = rows_form(schema(), sink_config());
  message.append(reinterpret_cast<const char*>(&form), sizeof form);
  for (std::size_t at = 0; at < entries.size();) {
    std::uint32_t head[2];  // shard, size
    std::memcpy(head, entries.data() + at, sizeof head);
    shards.insert(head[0]);
    message.append(reinterpret_cast<const char*>(&head[1]), sizeof head[1]);
    message.append(entries, at + sizeof head, head[1]);
    at += sizeof head + head[1];
  }
  return message;
}

TEST(RepartitionTest, ARowComesOutAsItWentIn) {
  const runtime::Schema rows = schema();
  const Config config = sink_config();
  Diagnostics diagnostics;
  const runtime::SinkDeclaration to(config, {&rows}, diagnostics);
  const auto encoder = repartition_sink().create_encoder(to, 0);
  const std::string partition = "input[3]";
  std::string entries;
  for (std::int64_t amount : {5, 6}) {
    Value values[] = {Value::of_text("甲"), amount == 5 ? Value() : Value::of_integer(amount)};
    Record record;
    record.values = values;
    record.width = 2;
    record.event_time = 1000 + amount;
    record.change = amount == 5 ? runtime::Change::kInsert : runtime::Change::kUpdateBefore;
    record.id = 77;
    record.origin = {&partition, static_cast<std::uint64_t>(amount)};
    encoder->encode(record, entries);
  }
  std::set<std::uint32_t> shards;
  runtime::Slice slice;
  const std::string message = message_of(entries, shards);
  append_frame(slice.bytes, {}, message.data(), message.size(), nullptr, 0, {});
  EXPECT_EQ(shards.size(), 1u) << "one key, one shard";

  runtime::SourceDeclaration from(config, {}, diagnostics);
  from.output = rows;
  const auto decoder = repartition_source().create_decoder(from, {rows.width() + 7, 0});
  runtime::Outputs out("source", 1, 2), sunk("sink", 1, 2);
  Collector collector;
  std::vector<std::string> seen;
  collector.on_record = [&](const Record& record) {
    seen.push_back(std::string(record[0].text()) +
                   (record[1].is_null() ? " -" : " " + std::to_string(record[1].integer())) + " " +
                   *record.origin.partition + "@" + std::to_string(record.origin.offset) + " " +
                   std::to_string(record.event_time) + " " + std::to_string(record.id) +
                   (takes_back(record.change) ? " back" : ""));
  };
  out.port(0).target = &collector;
  out.port(0).target_outputs = &sunk;
  decoder->decode(slice, out);
  EXPECT_THAT(seen, ElementsAre("甲 - input[3]@5 1005 77", "甲 6 input[3]@6 1006 77 back"));

  // What another program writes ends the run; it is not read as rows.
  for (std::size_t size = 0; size < message.size(); ++size) {
    slice.bytes.clear();
    append_frame(slice.bytes, {}, message.data(), size, nullptr, 0, {});
    seen.clear();
    try {
      decoder->decode(slice, out);
      EXPECT_LT(seen.size(), 2u) << size;
    } catch (const runtime::StatusError& error) {
      EXPECT_EQ(error.status().code(), runtime::StatusCode::kCorrupt);
      EXPECT_THAT(error.what(), HasSubstr("another program writes there"));
    }
  }
}

TEST(RepartitionTest, RowsOfAnotherVersionAreAnErrorWithARemedy) {
  std::set<std::uint32_t> shards;
  const std::string message = message_of("", shards);
  runtime::Slice slice;
  append_frame(slice.bytes, {}, message.data(), message.size(), nullptr, 0, {});
  MessageHead second;
  second.offset = 7;
  append_frame(slice.bytes, second, message.data(), message.size(), nullptr, 0, {});
  const std::uint64_t form = rows_form(schema(), sink_config());
  EXPECT_TRUE(check_rows(slice.bytes, form, "t").is_ok());

  runtime::Schema wider = schema();
  wider.add("more", Type::kBool);
  EXPECT_NE(rows_form(wider, sink_config()), form);
  const runtime::Status status = check_rows(slice.bytes, rows_form(wider, sink_config()), "t");
  EXPECT_EQ(status.code(), runtime::StatusCode::kInvalid);
  EXPECT_THAT(status.message(), HasSubstr("another version"));

  for (const std::string& other : {std::string(), std::string("\1xyz")}) {
    runtime::Slice strange;
    append_frame(strange.bytes, second, other.data(), other.size(), nullptr, 0, {});
    EXPECT_THAT(check_rows(strange.bytes, form, "t").message(), HasSubstr("offset 7"));
  }
}

TEST(RepartitionTest, TheFormIsThatOfFieldsKeyAndShards) {
  const std::uint64_t form = rows_form(schema(), sink_config());
  runtime::Schema swapped;
  swapped.add("amount", Type::kInt64);
  swapped.add("name", Type::kString);
  EXPECT_NE(rows_form(swapped, sink_config()), form);
  const auto with = [](const char* key, const char* shards) {
    return Config::map(
        {{"key", Config::list({Config::scalar(key)})}, {"shards", Config::scalar(shards)}});
  };
  EXPECT_EQ(rows_form(schema(), with("name", "8")), form);
  EXPECT_NE(rows_form(schema(), with("amount", "8")), form);
  EXPECT_NE(rows_form(schema(), with("name", "4")), form);
}

/// The linked types and `keyed`, an operator with a key and state.
const runtime::Registry& types() {
  static const auto made = [] {
    auto registry = std::make_unique<runtime::Registry>(&runtime::Registry::linked());
    runtime::OperatorType keyed;
    keyed.descriptor.name = "keyed";
    keyed.descriptor.options = {{.name = "key", .members = {}}};
    keyed.descriptor.keyed = true;
    keyed.declare = [](runtime::Declaration& declaration) {
      declaration.key_fields = {declaration.config["key"].text()};
      declaration.output = declaration.input();
    };
    registry->add(std::move(keyed));
    return registry;
  }();
  return *made;
}

Topology topology(const std::string& rest, Diagnostics& diagnostics) {
  const Config config = runtime::parse_config(
      "topology: t\nrejects: bad\nshards: 4\nbackend: {type: kafka, bootstrap: 'b:1', workers: "
      "several}\n"
      "sources:\n  in: {type: kafka, topic: in, fields: [a, b]}\n" +
          rest,
      "t.yaml", diagnostics);
  return runtime::build_topology(config, "t.yaml", types(), diagnostics);
}

constexpr const char* kOperators =
    "operators:\n  once: {type: keyed, input: in, key: a}\n"
    "  sums: {type: keyed, input: once, key: b}\n";

TEST(RepartitionTest, EachKeyedOperatorHasATopicInFrontOfIt) {
  Diagnostics diagnostics;
  Topology made = topology(std::string(kOperators) +
                               "sinks:\n  out: {type: kafka, input: sums, topic: out}\n"
                               "  bad: {type: kafka, topic: bad}\n",
                           diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  ASSERT_TRUE(runtime::shares_work(made));
  made = runtime::split_for_workers(std::move(made), diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  std::vector<std::string> names;
  for (const Node& node : made.nodes) {
    names.push_back(std::string(runtime::kind_name(node.kind)) + " " + node.name);
    for (const runtime::StreamRef& input : node.inputs) {
      names.back() += " <- " + made.nodes[input.node].name;
    }
  }
  EXPECT_THAT(names,
              ElementsAre("source in", "sink once.repartition <- in", "source once.repartition",
                          "operator once <- once.repartition", "sink sums.repartition <- once",
                          "source sums.repartition", "operator sums <- sums.repartition",
                          "sink out <- sums", "sink bad <- in <- out"));
  EXPECT_EQ((*made.nodes[1].config)["topic"].text(), "t.once.repartition");
  const runtime::Plan plan = runtime::make_plan(made, 2);
  EXPECT_EQ(plan.stages, 2u);
}

TEST(RepartitionTest, AReaderOfASinksRejectsHasATopicInFrontOfItToo) {
  Diagnostics diagnostics;
  Topology made = topology(
      "operators:\n  again: {type: keyed, input: out.rejects, key: a}\n"
      "sinks:\n  out: {type: kafka, input: in, topic: out}\n"
      "  again_out: {type: kafka, input: again, topic: again}\n"
      "  bad: {type: kafka, topic: bad}\n",
      diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  made = runtime::split_for_workers(std::move(made), diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  std::vector<std::string> names;
  for (const Node& node : made.nodes) {
    for (const runtime::StreamRef& input : node.inputs) {
      names.push_back(node.name + " <- " + made.nodes[input.node].stream_name(input.port));
    }
  }
  EXPECT_THAT(names, ElementsAre("out <- in", "again.repartition <- out.rejects",
                                 "again <- again.repartition", "again_out <- again",
                                 "bad <- in.rejects", "bad <- again_out.rejects"));
  const Node* rows = made.find("again.repartition");
  EXPECT_EQ(rows->sink_declaration->inputs.front()->to_string().substr(0, 42),
            "a: string, b: string, reject_code: string,");
}

TEST(RepartitionTest, WhatOneProcessAloneCanHaveIsAnErrorWithItsPlace) {
  Diagnostics diagnostics;
  Topology made = topology(std::string(kOperators) +
                               "sinks:\n  out: {type: file, input: sums, path: out.ndjson}\n"
                               "  bad: {type: kafka, topic: bad}\n",
                           diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  runtime::split_for_workers(std::move(made), diagnostics);
  EXPECT_THAT(diagnostics.to_string(),
              HasSubstr("t.yaml:11:3: error: sink 'out' of type file cannot be shared by several "
                        "workers"));
}

TEST(RepartitionTest, AnInputThatEndsCannotBeShared) {
  Diagnostics diagnostics;
  const Config config = runtime::parse_config(
      "topology: t\nbackend: {type: kafka, bootstrap: 'b:1', workers: several}\n"
      "sources:\n  in: {type: kafka, topic: in, fields: [a], until: end}\n"
      "sinks:\n  out: {type: kafka, input: in, topic: out}\n",
      "t.yaml", diagnostics);
  Topology made = runtime::build_topology(config, "t.yaml", types(), diagnostics);
  runtime::split_for_workers(std::move(made), diagnostics);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("'in' ends"));
}

TEST(RepartitionTest, ShardsOfThisProcessAreDealtOutToItsThreads) {
  Diagnostics diagnostics;
  const Topology made = topology("sinks:\n  bad: {type: kafka, topic: bad}\n", diagnostics);
  runtime::Plan plan = runtime::make_plan(made, 2);
  EXPECT_THAT(plan.owners, ElementsAre(0u, 1u, 0u, 1u));
  plan.keep_shards({1, 3});
  EXPECT_THAT(plan.owners,
              ElementsAre(runtime::Plan::kElsewhere, 0u, runtime::Plan::kElsewhere, 1u));
}

}  // namespace
}  // namespace huiliu::connectors::kafka
