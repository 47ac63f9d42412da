#include "service/golden/golden_case.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace huiliu::service {
namespace {

constexpr const char* kHead = R"(
topology:
  topology: golden
  sources:
    in: {type: file, path: "${INPUT}", pattern: ["*.*"], fields: [id, {name: amount, type: int64}]}
  operators:
    large: {type: filter, input: in, when: {amount: {more_than: 9}}}
  sinks:
    out: {type: sqlite, input: large, path: "${OUTPUT}/a.sqlite", table: t, key: id}
  rejects: out
templates:
  ten: {id: a, amount: 10}
)";

/// Differences of the case `golden` of a file with `head`.
std::string run(const std::string& golden, const std::string& head = kHead) {
  spdlog::set_level(spdlog::level::off);
  const GoldenFolders folders;
  runtime::Diagnostics diagnostics;
  const runtime::Config file = runtime::parse_config(head, "g.yaml", diagnostics);
  const runtime::Config one = runtime::parse_config(golden, "g.yaml", diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  return run_golden_case({file, one, "g.yaml"}, folders);
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(GoldenCase, RecordsOfAnySinkAreComparedByTheFieldsNamed) {
  EXPECT_EQ(run("input: {in: {a.ndjson: [{id: x, amount: 12}, {id: y, amount: 3}]}}\n"
                "expect: {out: [{id: x}]}"),
            "");
}

TEST(GoldenCase, ARecordIsWrittenAsItsTemplateWithWhatItSaysItself) {
  for (const std::string name : {"a.ndjson", "a.csv"}) {
    EXPECT_EQ(run("input: {in: {" + name + ": [{like: ten}, {like: ten, id: 'b,\"c'}]}}\n" +
                  "expect: {out: [{id: a, amount: 10}, {id: 'b,\"c', amount: 10}]}"),
              "")
        << name;
  }
}

TEST(GoldenCase, AnUnknownTemplateSinkOrSourceIsNamedWithItsPlace) {
  EXPECT_TRUE(says(run("input: {in: {a.csv: [{like: tne}]}}\nexpect: {out: []}"),
                   "g.yaml:1:29: error: there is no template 'tne' (did you mean 'ten'?)"));
  EXPECT_TRUE(says(run("expect: {ouz: []}"), "1:10: error: the topology has no sink 'ouz'"));
  EXPECT_TRUE(says(run("input: {inn: {}}\nexpect: {}"), "the topology has no source 'inn'"));
}

TEST(GoldenCase, ASinkRefusesWhatItWouldRefuseInARun) {
  constexpr const char* kKafka = R"(
topology:
  topology: golden
  backend: {type: kafka, bootstrap: "localhost:1"}
  sources:
    in: {type: file, path: "${INPUT}", fields: [id, kind]}
  sinks:
    out: {type: kafka, input: in, topic: "out.{kind}", topics: [out.open]}
    refused: {type: kafka, topic: refused}
  rejects: refused
)";
  EXPECT_EQ(run("input: {in: {a.csv: [{id: a, kind: open}, {id: b, kind: shut}]}}\n"
                "expect:\n  out: [{id: a}]\n"
                "  refused: [{id: b, reject_code: E812_TOPIC_UNKNOWN, reject_value: out.shut}]\n",
                kKafka),
            "");
}

TEST(GoldenCase, AMissingRecordDoesNotMakeTheNextOnesDiffer) {
  const std::string text =
      run("input: {in: {a.csv: [{id: a, amount: 10}, {id: c, amount: 10}]}}\n"
          "expect:\n  out:\n    - {id: a}\n    - {id: b}\n    - {id: c}\n");
  EXPECT_EQ(text, "  out record 2 (g.yaml:5): missing\n");
}

TEST(GoldenCase, ARecordThatNobodyExpectsIsShown) {
  EXPECT_EQ(run("input: {in: {a.csv: [{id: a, amount: 10}]}}\nexpect: {out: []}"),
            "  out: not expected:\n    + {id: a, amount: 10}\n");
}

TEST(GoldenCase, ADifferenceShowsWhatWasExpectedAndWhatWasFound) {
  EXPECT_EQ(run("input: {in: {a.csv: [{like: ten}]}}\n"
                "expect: {out: [{id: null, amont: 1, amount: 11}]}"),
            "  out record 1 (g.yaml:2):\n    id:\n      - null\n      + a\n"
            "    amont: the record has no such field; did you mean 'amount'?\n"
            "    amount:\n      - 11\n      + 10\n");
}

TEST(GoldenCase, NoSinkIsOpened) {
  std::string head = kHead;
  head.replace(head.find("${OUTPUT}/a.sqlite"), 18, "/nowhere/at/all.sqlite");
  EXPECT_EQ(run("input: {in: {a.csv: [{like: ten}]}}\nexpect: {out: [{id: a}]}", head), "");
}

TEST(GoldenCase, ACaseWithoutATopologySaysSo) {
  EXPECT_TRUE(says(run("expect: {}", "templates: {}"), "the case names no topology"));
}

constexpr const char* kServer = R"(
topology:
  topology: golden
  sources:
    orders:
      type: kafka
      bootstrap: "192.0.2.1:9092"
      topic: orders
      event_time: at
      fields: [id, {name: amount, type: int64}, {name: at, type: timestamp}]
    payments:
      type: kafka
      bootstrap: "192.0.2.1:9092"
      topic: payments
      fields: [id, {name: amount, type: int64}]
  sinks:
    out: {type: sqlite, input: [orders, payments], path: "${OUTPUT}/a.sqlite", table: t}
  rejects: out
templates:
  ten: {id: a, amount: 10}
)";

TEST(GoldenCase, ASourceOfAServerReadsTheCaseAndNoServer) {
  EXPECT_EQ(run("input: {orders: [{like: ten, at: 2026-01-31 10:00:00}, {id: b, amount: 1}]}\n"
                "expect: {out: [{id: a, amount: 10}, {id: b}]}",
                kServer),
            "");
  EXPECT_EQ(
      run("input: {orders: {orders.ndjson: [{like: ten}]}}\nexpect: {out: [{id: a}]}", kServer),
      "");
  EXPECT_EQ(run("input: {}\nexpect: {out: []}", kServer), "");
}

TEST(GoldenCase, StepsOfSeveralSourcesAreReadInTheirOrder) {
  EXPECT_EQ(run("input:\n"
                "- {source: orders, record: {id: a}}\n"
                "- {source: payments, records: [{id: b}, {id: c}]}\n"
                "- {advance: 1h}\n"
                "- {source: orders, record: {id: d}}\n"
                "expect: {out: [{id: a}, {id: b}, {id: c}, {id: d}]}",
                kServer),
            "");
}

TEST(GoldenCase, WhatARecordCannotBeIsNamedWithItsPlace) {
  EXPECT_TRUE(says(run("input: {orders: [{amuont: 1}]}\nexpect: {}", kServer),
                   "source 'orders' has no field 'amuont' (did you mean 'amount'?)"));
  EXPECT_TRUE(says(run("input: {orders: [{amount: many}]}\nexpect: {}", kServer),
                   "error: field 'amount' is of type int64"));
  EXPECT_TRUE(says(run("input: [{sorce: orders}]\nexpect: {}", kServer), "no option 'sorce'"));
}

TEST(GoldenCase, FilesHaveTheDelimiterOfTheirSource) {
  std::string head = kHead;
  head.replace(head.find("pattern"), 0, "delimiter: \";\", ");
  EXPECT_EQ(run("input: {in: {a.csv: [{id: 'x,y', amount: 12}, {id: 'x;y', amount: 13}]}}\n"
                "expect: {out: [{id: 'x,y', amount: 12}, {id: 'x;y'}]}",
                head),
            "");
}

TEST(GoldenCase, BesideAMissingRecordStandsTheNearest) {
  EXPECT_TRUE(says(run("input: {in: {a.ndjson: [{id: x, amount: 12}]}}\n"
                       "expect: {out: [{id: x, amount: 12}, {id: x, amount: 13}]}"),
                   "record 2 (g.yaml:2): missing\n    nearest is record 1:\n    amount:\n"
                   "      - 13\n      + 12\n"));
}

}  // namespace
}  // namespace huiliu::service
