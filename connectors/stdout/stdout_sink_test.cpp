#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

using runtime::Schema;
using runtime::Type;
using runtime::Value;

const Schema kCounts({{"dept", Type::kString}, {"count", Type::kInt64}});

struct Printer {
  explicit Printer(const std::string& options)
      : type(*runtime::Registry::linked().sink("stdout")),
        config(runtime::with_defaults(testing::config_of(options), type.descriptor.options)),
        declaration(config, {&kCounts}, diagnostics) {
    type.declare(declaration);
    EXPECT_EQ(diagnostics.to_string(), "");
    sink = type.create_epoch_sink(declaration);
  }
  void add(std::string_view dept, std::int64_t count) {
    Value values[] = {Value::of_text(dept), Value::of_integer(count)};
    runtime::Record record;
    record.values = values;
    record.width = 2;
    std::string bytes;
    type.create_encoder(declaration, 0)->encode(record, bytes);
    EXPECT_TRUE(sink->append(bytes, 1).is_ok());
  }
  template <class Action>
  static std::string printed(const Action& action) {
    ::testing::internal::CaptureStdout();
    action();
    return ::testing::internal::GetCapturedStdout();
  }
  void end_epoch() {
    testing::Positions positions;
    EXPECT_TRUE(sink->prepare(positions).is_ok());
    EXPECT_TRUE(positions.empty());
  }

  const runtime::SinkType& type;
  runtime::Config config;
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration;
  std::unique_ptr<runtime::EpochSink> sink;
};

TEST(StdoutSink, PrintsTheRowsOfAnEpochTogetherAndOnce) {
  Printer printer("{}");
  EXPECT_EQ(Printer::printed([&] {
              EXPECT_TRUE(printer.sink->open({}).is_ok());
              printer.add("market", 2);
              printer.add("traffic", 1);
            }),
            "");
  EXPECT_EQ(Printer::printed([&] { printer.end_epoch(); }),
            "{\"dept\":\"market\",\"count\":2}\n{\"dept\":\"traffic\",\"count\":1}\n");
  EXPECT_EQ(Printer::printed([&] { printer.end_epoch(); }), "");
}

TEST(StdoutSink, OpenedAnewForgetsWhatWasNotCommitted) {
  Printer printer("{}");
  printer.add("market", 2);
  EXPECT_EQ(Printer::printed([&] {
              EXPECT_TRUE(printer.sink->open({}).is_ok());
              printer.end_epoch();
            }),
            "");
}

TEST(StdoutSink, CsvBeginsWithOneHeader) {
  Printer printer("{format: csv, fields: [count, {name: department, field: dept}]}");
  const std::string text = Printer::printed([&] {
    EXPECT_TRUE(printer.sink->open({}).is_ok());
    printer.add("a,b", 2);
    printer.end_epoch();
    EXPECT_TRUE(printer.sink->open({}).is_ok());
    printer.add("c", 1);
    printer.end_epoch();
  });
  EXPECT_EQ(text, "count,department\n2,\"a,b\"\n1,c\n");
}

TEST(StdoutSink, MayRepeatAfterACrashAndSaysWhy) {
  const auto& traits = runtime::Registry::linked().sink("stdout")->descriptor.traits;
  EXPECT_FALSE(traits.transactional || traits.idempotent);
  EXPECT_THAT(traits.reason, ::testing::HasSubstr("again"));
}

}  // namespace
}  // namespace huiliu::connectors
