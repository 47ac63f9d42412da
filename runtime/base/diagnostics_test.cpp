#include "runtime/base/diagnostics.h"

#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

TEST(Diagnostics, SaysPlaceKindMessageAndHint) {
  const Diagnostic error{{"a.yaml", 3, 7}, "there is no option 'pth'", "did you mean 'path'?"};
  EXPECT_EQ(error.to_string(),
            "a.yaml:3:7: error: there is no option 'pth' (did you mean 'path'?)");
}

TEST(Diagnostics, LeavesOutAnUnknownPlace) {
  EXPECT_EQ((Diagnostic{{"a.yaml", 0, 0}, "empty", ""}).to_string(), "a.yaml: error: empty");
  EXPECT_EQ((Diagnostic{{}, "empty", "", true}).to_string(), "warning: empty");
}

TEST(Diagnostics, SortsByPlace) {
  Diagnostics all;
  all.error({"a.yaml", 10, 1}, "third");
  all.warning({"a.yaml", 2, 9}, "second");
  all.error({"a.yaml", 2, 1}, "first");
  EXPECT_EQ(all.to_string(),
            "a.yaml:2:1: error: first\na.yaml:2:9: warning: second\na.yaml:10:1: error: third\n");
  EXPECT_EQ(all.errors(), 2u);
}

TEST(Diagnostics, HintsAtTheNearestWordOnly) {
  EXPECT_EQ(nearest_hint("fliter", {"dedupe", "filter"}), "did you mean 'filter'?");
  EXPECT_EQ(nearest_hint("xyz", {"dedupe", "filter"}), "");
}

}  // namespace
}  // namespace huiliu::runtime
