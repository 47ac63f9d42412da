#include "operators/cached_counts.h"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "runtime/record/key.h"

namespace huiliu::operators {
namespace {

TEST(CachedCountsTest, HoldsKeysOfAnyLengthAndSaysWhatTheyTake) {
  std::mt19937_64 random(3);
  CachedCounts counts;
  std::map<std::pair<std::uint16_t, std::string>, std::int64_t> model;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t size = random() % 500 == 0 ? 100'000 : random() % 40;
    const std::string key = std::to_string(random() % 4000) + std::string(size, 'x');
    const std::uint64_t hash = runtime::KeyBuilder::hash_bytes(key);
    const auto shard = static_cast<std::uint16_t>(hash % 4);
    CachedCounts::Entry* entry = counts.find(key, hash);
    ASSERT_EQ(entry != nullptr, model.contains({shard, key}));
    if (entry == nullptr) {
      const std::uint64_t expected = counts.bytes() + counts.growth(key);
      entry = &counts.add(key, hash, shard);
      ASSERT_EQ(counts.bytes(), expected);
    }
    ++entry->count;
    ++model[{shard, key}];
  }
  auto next = model.begin();
  for (const CachedCounts::Entry* entry : counts.sorted()) {
    ASSERT_EQ(std::pair(entry->shard, std::string(entry->key())), next->first);
    ASSERT_EQ(entry->count, next++->second);
  }
  EXPECT_EQ(next, model.end());
  counts.clear();
  EXPECT_TRUE(counts.empty());
  EXPECT_EQ(counts.bytes(), 0u);
}

TEST(CachedCountsTest, FewKeysTakeLittle) {
  CachedCounts counts;
  counts.add("a", 1, 0);
  EXPECT_LT(counts.bytes(), 1000u);
}

}  // namespace
}  // namespace huiliu::operators
