#include "state/filter.h"

#include <gtest/gtest.h>

namespace huiliu::state {
namespace {

TEST(FilterTest, KeysThatAreWrittenAgainTakeNoMoreRoom) {
  constexpr std::uint32_t kKeys = 10'000;
  Filter filter;
  const auto tag = [](std::uint32_t key) { return key * 2'654'435'761u; };
  for (std::uint32_t key = 0; key < kKeys; ++key) filter.add(tag(key));
  const std::uint64_t once = filter.bytes();
  for (int again = 0; again < 2'000; ++again) {
    for (std::uint32_t key = 0; key < kKeys; key += 7) filter.add(tag(key));
  }
  EXPECT_EQ(filter.bytes(), once);
  for (std::uint32_t key = 0; key < kKeys; ++key) EXPECT_TRUE(filter.may_contain(tag(key)));
}

TEST(FilterTest, MostKeysThatWereNotAddedAreCertainlyNew) {
  constexpr std::uint32_t kKeys = 1'000'000;
  Filter filter;
  const auto tag = [](std::uint32_t key) { return key * 2'654'435'761u; };
  for (std::uint32_t key = 0; key < kKeys; ++key) filter.add(tag(key));
  std::uint32_t wrong = 0;
  for (std::uint32_t key = kKeys; key < 2 * kKeys; ++key) wrong += filter.may_contain(tag(key));
  EXPECT_LT(wrong, kKeys / 20);
}

}  // namespace
}  // namespace huiliu::state
