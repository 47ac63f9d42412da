#include "connectors/kafka/sink/sink_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/kafka/client/message_frame.h"
#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors::kafka {
namespace {

using connectors::testing::config_of;
using runtime::Schema;
using runtime::Type;
using runtime::Value;
using ::testing::HasSubstr;

const Schema kSchema({{"id", Type::kString}, {"n", Type::kInt64}});

/// The message that a sink with these options makes of the row (a, 5).
std::string written(const std::string& options) {
  const runtime::SinkType& type = *runtime::Registry::linked().sink("kafka");
  const runtime::Config config =
      runtime::with_defaults(config_of("{topic: t, " + options + "}"), type.descriptor.options);
  runtime::Diagnostics diagnostics;
  runtime::SinkDeclaration declaration(config, {&kSchema}, diagnostics);
  type.declare(declaration);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.to_string();
  std::vector<Value> values = {Value::of_text("a"), Value::of_integer(5)};
  runtime::Record record;
  record.values = values.data();
  record.width = 2;
  std::string bytes;
  EXPECT_EQ(type.create_encoder(declaration, 0)->encode(record, bytes), nullptr);
  return std::string(read_frame(bytes.data()).value);
}

TEST(SinkOptions, ADelimiterIsNamedAsTheOtherConnectorsNameIt) {
  EXPECT_EQ(written("format: csv"), "a,5");
  EXPECT_EQ(written("format: csv, delimiter: ;"), "a;5");
  EXPECT_EQ(written("format: csv, delimiter: tab"), "a\t5");
  EXPECT_EQ(written("format: csv, delimiter: '\\t'"), "a\t5");
  EXPECT_EQ(written("format: csv, delimiter: \"\\t\""), "a\t5");
}

}  // namespace
}  // namespace huiliu::connectors::kafka
