#include "cli/golden/golden_case.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

namespace huiliu::cli {
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

}  // namespace
}  // namespace huiliu::cli
