#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::Schema;
using runtime::Type;
using runtime::Value;
using ::testing::HasSubstr;

const Schema kCounts({{"file", Type::kString}, {"outcome", Type::kString}, {"n", Type::kInt64}});

struct Summary {
  explicit Summary(const testing::Positions& positions = {}, const std::string& total = "READ")
      : type(*runtime::Registry::linked().sink("summary")),
        config(runtime::with_defaults(
            testing::config_of("{row: file, column: outcome, value: n, total: " + total + "}"),
            type.descriptor.options)),
        declaration(config, {&kCounts}, diagnostics) {
    type.declare(declaration);
    runtime::SinkContext context;
    context.positions = positions;
    sink = type.create_epoch_sink(declaration);
    EXPECT_TRUE(sink->open(context).is_ok());
  }
  void add(std::string_view file, std::string_view outcome, std::int64_t n) {
    Value values[] = {Value::of_text(file), Value::of_text(outcome), Value::of_integer(n)};
    runtime::Record record;
    record.values = values;
    record.width = 3;
    std::string bytes;
    type.create_encoder(declaration, 0)->encode(record, bytes);
    EXPECT_TRUE(sink->append(bytes, 1).is_ok());
  }
  std::string printed() {
    ::testing::internal::CaptureStdout();
    EXPECT_TRUE(sink->finish().is_ok());
    return ::testing::internal::GetCapturedStdout();
  }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration;
  std::unique_ptr<runtime::EpochSink> sink;
};

TEST(SummarySink, LaterCellsReplaceEarlierOnesAlsoAfterARestart) {
  Summary first;
  first.add("a.csv", "READ", 2);
  first.add("a.csv", "ACCEPTED", 2);
  testing::Positions committed;
  EXPECT_TRUE(first.sink->prepare(committed).is_ok());
  EXPECT_EQ(committed.size(), 2u);

  Summary again(committed);
  again.add("a.csv", "READ", 3);
  again.add("a.csv", "REJECTED", 1);
  const std::string text = again.printed();
  EXPECT_THAT(text, HasSubstr("        READ    ACCEPTED    REJECTED\n"));
  EXPECT_THAT(text, HasSubstr("           3           2           1  a.csv\n"));
  EXPECT_THAT(text, HasSubstr("READ = the sum of the others in each of 1 rows"));
}

TEST(SummarySink, MarksRowsThatDoNotBalance) {
  Summary summary;
  summary.add("a.csv", "READ", 2);
  summary.add("a.csv", "ACCEPTED", 1);
  const std::string text = summary.printed();
  EXPECT_THAT(text, HasSubstr("a.csv   DOES NOT BALANCE"));
  EXPECT_THAT(text, HasSubstr("1 of 1 rows do not balance"));
}

TEST(SummarySink, SeveralColumnsMakeTheTotal) {
  Summary summary({}, "[READ, REJUDGED]");
  summary.add("a.csv", "ACCEPTED", 2);
  summary.add("a.csv", "READ", 2);
  EXPECT_THAT(summary.printed(), HasSubstr("READ = the sum of the others in each of 1 rows"));
  summary.add("a.csv", "REJUDGED", 1);
  EXPECT_THAT(summary.printed(), HasSubstr("DOES NOT BALANCE"));
  summary.add("a.csv", "REJECTED", 1);
  const std::string text = summary.printed();
  EXPECT_THAT(text, HasSubstr("        READ    REJUDGED    ACCEPTED    REJECTED\n"));
  EXPECT_THAT(text, HasSubstr("READ + REJUDGED = the sum of the others in each of 1 rows"));
}

TEST(SummarySink, NamesWithControlCharactersStayOnOneLine) {
  Summary summary;
  summary.add("a\nb\x1f.csv", "READ", 1);
  EXPECT_THAT(summary.printed(), HasSubstr("a?b?.csv"));
}

TEST(SummarySink, ValueMustBeANumber) {
  const auto& type = *runtime::Registry::linked().sink("summary");
  const auto config = runtime::with_defaults(
      testing::config_of("{row: file, column: outcome, value: outcome}"), type.descriptor.options);
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration(config, {&kCounts}, diagnostics);
  type.declare(declaration);
  EXPECT_THAT(diagnostics.to_string(), HasSubstr("'outcome' is not an int64"));
}

}  // namespace
}  // namespace huiliu::connectors
