#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

// The fields that the descriptors' examples speak of.
constexpr const char* kFields =
    "id, dept, kind, party_name, party_type, uscc, id_no, doc_name, content, decided_at, amount: "
    "int64, authority_code, doc_no, subject_key, version_no, updated_at, source_code, status, "
    "file, row: int64, verdict, code, rule";

TEST(ExamplesTest, EveryOperatorsExampleIsAValidConfig) {
  const auto descriptors =
      runtime::Registry::linked().descriptors(runtime::ComponentKind::kOperator);
  EXPECT_GE(descriptors.size(), 10u);
  for (const runtime::Descriptor* descriptor : descriptors) {
    testing::Harness harness(descriptor->example, kFields);
    harness.file("workdays.csv", "# valid until: 2300-12-31\ndate,kind\n2019-01-01,holiday\n");
    harness.file("terms.csv", "kind,words,valid_from,valid_to,class,months\npenalty,,,,a,12\n");
    EXPECT_EQ(harness.problems(), "") << descriptor->name;
    EXPECT_NE(descriptor->summary, "") << descriptor->name;
    for (const runtime::Option& option : descriptor->options) {
      EXPECT_NE(option.doc, "") << descriptor->name << "." << option.name;
    }
    harness.push({{"kind", "penalty"},
                  {"party_type", "legal"},
                  {"id", "1"},
                  {"amount", "7"},
                  {"uscc", "91350100M000100Y43"},
                  {"decided_at", "2019-3-5"}},
                 1000);
    harness.end_epoch();
  }
}

}  // namespace
}  // namespace huiliu::operators
