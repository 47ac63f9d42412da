#include "service/explain/masker.h"

#include <gtest/gtest.h>

#include "runtime/component/registry.h"

namespace huiliu::service {
namespace {

TEST(CitizenNumbers, AreMaskedWhereverTheyStand) {
  EXPECT_EQ(mask_citizen_numbers("身份证:11010519491231002X。"), "身份证:110105********002X。");
  EXPECT_EQ(mask_citizen_numbers("110105194912310021"), "110105********0021");
  EXPECT_EQ(mask_citizen_numbers("11010519491231002X00"), "110105********002X00");
}

TEST(CitizenNumbers, AreNotSeenInOtherCodes) {
  for (const char* text : {"91350822MAU952TT43", "350881174420322", "911350819491231002",
                           "110105194913310021", "1234567890123456789", "JY135080010000065"}) {
    EXPECT_EQ(mask_citizen_numbers(text), text);
  }
}

runtime::Topology topology_with_personal_rule() {
  runtime::Diagnostics diagnostics;
  const runtime::Config config = runtime::parse_config(
      "topology: t\n"
      "sources: {in: {type: file, path: in.csv, fields: [doc_no, other]}}\n"
      "operators:\n"
      "  check: {type: validate, input: in, rules: [{id: doc, check: required, field: doc_no, "
      "personal: true}]}\n"
      "sinks: {out: {type: file, input: [check], path: out.csv}}\n"
      "rejects: out\n",
      "t.yaml", diagnostics);
  return runtime::build_topology(config, "t.yaml", runtime::Registry::linked(), diagnostics);
}

TEST(Masker, MasksPersonalFieldsAndTheirValuesElsewhere) {
  const Masker masker(topology_with_personal_rule());
  Trace trace;
  trace.read = {{"doc_no", std::nullopt, "E12345678"}, {"other", std::nullopt, "E1234"}};
  TraceStep step;
  step.outputs.push_back({{"check"}, {{"key", std::nullopt, "护照号:E12345678"}}, {}});
  step.reject = TraceReject{"E201_FORMAT", "doc_no", "E12345678", "doc@1", "E12345678 is none", ""};
  trace.steps.push_back(step);
  masker.mask(trace);
  EXPECT_EQ(trace.read[0].after, "*********");
  EXPECT_EQ(trace.read[1].after, "E1234");
  EXPECT_EQ(trace.steps[0].outputs[0].changes[0].after, "护照号:*********");
  EXPECT_EQ(trace.steps[0].reject->value, "*********");
  EXPECT_EQ(trace.steps[0].reject->message_en, "********* is none");
}

TEST(Masker, KeepsShortPersonalValuesFromSpoilingOtherTexts) {
  const Masker masker(topology_with_personal_rule());
  Trace trace;
  trace.read = {{"doc_no", std::nullopt, "1"}, {"other", std::nullopt, "2021-01-01"}};
  masker.mask(trace);
  EXPECT_EQ(trace.read[0].after, "*");
  EXPECT_EQ(trace.read[1].after, "2021-01-01");
}

}  // namespace
}  // namespace huiliu::service
