#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;

TEST(MaskTest, MasksNumbersWhereverTheyStand) {
  Harness harness("type: mask\nwhole: [id, key]\nkeep: [raw]\n", "id, key, raw, text, n: int64");
  harness.push({{"id", "E12345678"},
                {"key", "身份证:350802190303081239"},
                {"raw", "350802190303081239"},
                {"text", "其身份证号为350802190303081239。"},
                {"n", "350802190303081239"}});
  harness.push({{"text", "编号350802190303081230"}});
  EXPECT_THAT(harness.take("", {"id", "key", "raw", "text", "n"}),
              ElementsAre("*********|身份证:350802********1239|350802190303081239|"
                          "其身份证号为350802********1239。|350802190303081239",
                          "~|~|~|编号350802********1230|~"));
}

TEST(MaskTest, AltersRecordsOnlyWhereItIsSure) {
  Harness harness("type: mask\ncertainty: sure\n", "text");
  harness.push({{"text", "编号350802190303081230"}});
  harness.push({{"text", "编号350802190303081239"}});
  EXPECT_THAT(harness.take("", {"text"}),
              ElementsAre("编号350802190303081230", "编号350802********1239"));
}

}  // namespace
}  // namespace huiliu::operators
