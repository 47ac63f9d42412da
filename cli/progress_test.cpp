#include "cli/progress.h"

#include <gtest/gtest.h>

namespace huiliu::cli {
namespace {

TEST(ProgressTest, TheLineFitsTheTerminal) {
  ProgressLine line(0);
  const Counts counts{123456789, 123, 123456666};
  EXPECT_EQ(line.text(counts, 41, 7, 1000, 0),
            "41% 123456789 read, 123 rejected, 123456666 written, 123456789/s, epoch 7");
  EXPECT_EQ(line.text(counts, 41, 7, 2000, 40), "41% 123456789 read, 123 rejected, 0/s");
  EXPECT_EQ(line.text(counts, 41, 7, 3000, 10), "41% 12345");
}

TEST(ProgressTest, NothingIsSaidOfRatesBeforeTheFirstCommit) {
  ProgressLine line(0);
  EXPECT_EQ(line.text({}, 41, 0, 500, 80), "41% taken up, nothing committed yet");
  EXPECT_EQ(line.text({}, -1, 0, 600, 80), "0 read, 0 rejected, 0 written, 0/s, epoch 0");
  EXPECT_EQ(line.text({100, 0, 100}, 41, 1, 1100, 80),
            "41% 100 read, 0 rejected, 100 written, 200/s, epoch 1");
}

TEST(ProgressTest, TheLastLineHasTheRateOfTheRun) {
  ProgressLine line(0);
  line.text({100, 0, 100}, 100, 1, 1000, 80);
  EXPECT_EQ(line.last({100, 0, 100}, 100, 1, 2000, 80),
            "100% 100 read, 0 rejected, 100 written, 50/s, epoch 1");
}

}  // namespace
}  // namespace huiliu::cli
