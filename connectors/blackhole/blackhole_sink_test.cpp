#include <gtest/gtest.h>

#include "connectors/testing.h"
#include "runtime/component/registry.h"

namespace huiliu::connectors {
namespace {

TEST(BlackholeSink, TakesEveryRecordAndKeepsNothing) {
  const auto& type = *runtime::Registry::linked().sink("blackhole");
  const runtime::Schema schema({{"a", runtime::Type::kString}});
  const runtime::Config config = testing::config_of("{}");
  runtime::Diagnostics diagnostics;
  const runtime::SinkDeclaration declaration(config, {&schema}, diagnostics);
  runtime::Value value = runtime::Value::of_text("x");
  runtime::Record record;
  record.values = &value;
  record.width = 1;
  std::string bytes;
  EXPECT_EQ(type.create_encoder(declaration, 0)->encode(record, bytes), nullptr);
  EXPECT_EQ(bytes, "");
  const auto sink = type.create_epoch_sink(declaration);
  testing::Positions positions;
  EXPECT_TRUE(sink->open({}).is_ok());
  EXPECT_TRUE(sink->append("anything", 1).is_ok());
  EXPECT_TRUE(sink->prepare(positions).is_ok());
  EXPECT_TRUE(positions.empty());
}

}  // namespace
}  // namespace huiliu::connectors
