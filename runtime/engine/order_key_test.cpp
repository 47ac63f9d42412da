#include "runtime/engine/order_key.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/base/status.h"

namespace huiliu::runtime {
namespace {

TEST(OrderKey, OrdersAsPathsDo) {
  std::mt19937_64 random(1);
  using Path = std::vector<std::uint64_t>;
  const auto draw = [&] {
    Path path = {random() % 3};
    for (std::size_t left = random() % 5; left > 0; --left) {
      path.push_back(random() % 4 == 0 ? random() % 70'000 : random() % 8);
    }
    return path;
  };
  const auto key_of = [](const Path& path) {
    OrderKey key = OrderKey::of_input(path[0]);
    for (std::size_t i = 1; i < path.size(); ++i) key = key.child(path[i]);
    return key;
  };
  for (int i = 0; i < 100'000; ++i) {
    const Path a = draw(), b = draw();
    // A record and what was made of it never meet: no two paths begin alike.
    const std::size_t least = std::min(a.size(), b.size());
    if (std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(least), b.begin())) continue;
    EXPECT_EQ(key_of(a) < key_of(b), a < b);
    EXPECT_NE(key_of(a), key_of(b));
  }
}

TEST(OrderKey, PutsWhatIsMadeOfStateBehindTheInput) {
  const OrderKey last = OrderKey::of_input((1u << 31) - 1).child(1000);
  const OrderKey first = OrderKey::of_state(0, -5, 3);
  EXPECT_LT(last, first);
  EXPECT_LT(first, OrderKey::of_state(0, -5, 4));
  EXPECT_LT(OrderKey::of_state(0, -5, 4), OrderKey::of_state(0, 7, 0));
  EXPECT_LT(OrderKey::of_state(0, 7, 0), OrderKey::of_state(1, -9, 0));
  EXPECT_LT(OrderKey::of_state(0, 7, 1).child(1u << 20), OrderKey::of_state(0, 7, 2).child(0));
}

TEST(OrderKey, SaysWhenAPathIsTooLong) {
  OrderKey key = OrderKey::of_input(0);
  const auto go_on = [&] {
    for (int i = 0; i < 10; ++i) key = key.child(1u << 20);
  };
  EXPECT_THROW(go_on(), StatusError);
  EXPECT_THROW(OrderKey::of_input(std::uint64_t{1} << 31), StatusError);
}

}  // namespace
}  // namespace huiliu::runtime
