#include "connectors/http/push_batch.h"

#include <gtest/gtest.h>

#include "connectors/http/push_pace.h"

namespace huiliu::connectors {
namespace {

constexpr std::int64_t kNow = 1767225600000;  // 2026-01-01T00:00:00Z

runtime::OutboxEntry entry(std::size_t rows) {
  runtime::OutboxEntry made{41, {}, rows};
  for (std::size_t row = 1; row <= rows; ++row) {
    made.bytes += "{\"id\":" + std::to_string(row) + "}\n";
  }
  return made;
}

// The vectors are those of Python: hmac, hashlib, and XXH3_64bits of libxxhash.
TEST(PushBatchTest, HashAndSignaturesAreThoseOfAnotherImplementation) {
  const auto made = entry(3);
  const auto batches = cut_entry(made, 10);
  ASSERT_EQ(batches.size(), 1u);
  const PushHeaders said(batches.front(), "t.s", kNow);
  EXPECT_EQ(said.date, "Thu, 01 Jan 2026 00:00:00 GMT");
  EXPECT_EQ(said.hash, "602d9380c1af9db5");
  EXPECT_EQ(said.key, "t.s.41.0.602d9380c1af9db5");
  const std::string text =
      said.signed_text("/v1/push?city=1", batches.front().body(/*json=*/false));
  EXPECT_EQ(signature_of(net::MacHash::kSha256, "key-0123456789abcdef", text),
            "hmac-sha256=008bfc0399c223953a2ffc75c1106281290b7483bef43fd085b433e568727007");
  EXPECT_EQ(signature_of(net::MacHash::kSm3, "key-0123456789abcdef", text),
            "hmac-sm3=2fa02eabbd1a95a8c90ff744bc3201f8b0800f7ed77c359dcff765c624566782");
}

TEST(PushBatchTest, TheHashDoesNotDependOnTheOrderOfRows) {
  const auto made = entry(5);
  PushBatch batch = cut_entry(made, 10).front();
  const std::string before = batch.hash();
  std::swap(batch.rows[0], batch.rows[4]);
  EXPECT_EQ(batch.hash(), before);
  batch.rows.pop_back();
  EXPECT_NE(batch.hash(), before);
}

TEST(PushBatchTest, AnEntryIsCutIntoPartsAndAPartIntoHalves) {
  const auto made = entry(25);
  const auto batches = cut_entry(made, 10);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[2].name(), "41.2");
  EXPECT_EQ(batches[2].rows.size(), 5u);
  EXPECT_EQ(batches[2].rows.back(), "{\"id\":25}");
  const PushBatch half = batches[1].some(5, 10);
  EXPECT_EQ(half.name(), "41.1.5-10");
  EXPECT_EQ(half.rows.front(), "{\"id\":16}");
  EXPECT_EQ(half.part_hash, batches[1].hash());
  const PushBatch one = half.some(1, 2);
  EXPECT_EQ(one.name(), "41.1.6-7");
  EXPECT_EQ(one.body(true), "[{\"id\":17}]");
  EXPECT_EQ(half.some(0, 2).body(true), "[{\"id\":16},{\"id\":17}]");
  EXPECT_TRUE(cut_entry({7, "", 0}, 10).empty());
}

TEST(PushPaceTest, TheCircuitOpensAfterFailuresInARowAndClosesWithASuccess) {
  PushPace pace(3, std::chrono::seconds(10));
  pace.failed(0, std::nullopt);
  pace.failed(0, std::nullopt);
  EXPECT_EQ(pace.next(), 0) << "the engine pauses by itself";
  EXPECT_FALSE(pace.is_open());
  pace.failed(100, std::nullopt);
  EXPECT_TRUE(pace.is_open());
  EXPECT_EQ(pace.next(), 1100);
  pace.failed(1100, std::nullopt);
  EXPECT_EQ(pace.next(), 3100);
  for (int i = 0; i < 50; ++i) pace.failed(4000, std::nullopt);
  EXPECT_EQ(pace.next(), 14000);
  pace.succeeded();
  EXPECT_FALSE(pace.is_open());
  EXPECT_EQ(pace.next(), 0);
}

TEST(PushPaceTest, RetryAfterIsHonouredUpToTheLongestPause) {
  PushPace pace(3, std::chrono::seconds(10));
  pace.failed(5, std::chrono::seconds(2));
  EXPECT_EQ(pace.next(), 2005);
  pace.failed(5, std::chrono::hours(2));
  EXPECT_EQ(pace.next(), 10005);
}

}  // namespace
}  // namespace huiliu::connectors
