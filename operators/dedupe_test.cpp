#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kYaml = "type: dedupe\nkey: [dept, id]\n";

TEST(DedupeTest, LetsTheFirstOfEachKeyPass) {
  Harness harness(kYaml, "dept, id, text");
  harness.push({{"dept", "D1"}, {"id", "1"}, {"text", "a"}});
  harness.push({{"dept", "D1"}, {"id", "1"}, {"text", "b"}});
  harness.push({{"dept", "D"}, {"id", "11"}, {"text", "c"}});
  EXPECT_THAT(harness.take("", {"dept", "id", "text"}), ElementsAre("D1|1|a", "D|11|c"));
  EXPECT_EQ(harness.dropped(), 1u);
}

TEST(DedupeTest, RemembersKeysAcrossRestarts) {
  Harness harness(kYaml, "dept, id");
  harness.push({{"dept", "D1"}, {"id", "1"}});
  harness.restart();
  harness.push({{"dept", "D1"}, {"id", "2"}});
  harness.crash();
  harness.take();
  harness.push({{"dept", "D1"}, {"id", "1"}});
  harness.push({{"dept", "D1"}, {"id", "2"}});
  EXPECT_THAT(harness.take("", {"id"}), ElementsAre("2"));
}

TEST(DedupeTest, ReportsAnUnknownKeyField) {
  EXPECT_THAT(Harness("type: dedupe\nkey: [dep]\n", "dept").problems(), HasSubstr("'dep'"));
}

}  // namespace
}  // namespace huiliu::operators
