#include <gmock/gmock.h>

#include "operators/harness.h"

namespace huiliu::operators {
namespace {

using ::testing::ElementsAre;
using testing::Harness;

TEST(OriginTest, SaysWhereARecordWasReadAndWhoSendsThere) {
  Harness plain("type: origin\n", "a");
  plain.push({{"a", "1"}});
  EXPECT_THAT(plain.take("", {"source_file", "source_row"}), ElementsAre("test|1"));
  Harness known("type: origin\nchannels: c.csv\n", "a");
  known.file("c.csv", "pattern,source\nother*,X\nt*,S\n*,Y\n");
  known.push({{"a", "1"}});
  EXPECT_THAT(known.take("", {"channel"}), ElementsAre("S"));
  Harness unknown("type: origin\nchannels: c.csv\nchannel: sender\n", "a");
  unknown.file("c.csv", "pattern,source\nother*,X\n");
  unknown.push({{"a", "1"}});
  EXPECT_THAT(unknown.take("", {"sender"}), ElementsAre("~"));
}

}  // namespace
}  // namespace huiliu::operators
