#include "cli/command.h"

#include <gtest/gtest.h>

#include "runtime/base/status.h"

namespace huiliu::cli {
namespace {

TEST(CommandTest, AProcessThatWasTakenOverDoesNotBlameTheState) {
  EXPECT_EQ(report_error(runtime::Status::taken_over("another")), kTakenOver);
  EXPECT_EQ(report_error(runtime::Status::corrupt("a row")), kDataAtRisk);
  EXPECT_EQ(report_error(runtime::Status::failed("an operator threw")), kFailed);
}

}  // namespace
}  // namespace huiliu::cli
