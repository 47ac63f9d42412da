#include "runtime/record/record.h"

#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

TEST(RecordTest, AnOriginIsWrittenAsExplainTakesIt) {
  const auto text = [](const std::string& partition) { return origin_text({&partition, 7}); };
  EXPECT_EQ(text("in/a.csv"), "in/a.csv:7");
  EXPECT_EQ(text("a#b.csv"), "a#b.csv:7");
  EXPECT_EQ(text("in/a.XLSX#Sheet 1"), "in/a.XLSX:Sheet 1:7");
  EXPECT_EQ(text("licences[3]"), "licences[3]@7");
  EXPECT_EQ(origin_text({}), "");
}

}  // namespace
}  // namespace huiliu::runtime
