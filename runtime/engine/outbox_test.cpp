#include "runtime/engine/outbox.h"

#include <gtest/gtest.h>

namespace huiliu::runtime {
namespace {

TEST(OutboxTest, WhatAnOperatorEmitsAtOnceIsCutIntoEntries) {
  constexpr std::size_t kRecords = 300'000;
  const std::vector<std::uint32_t> sizes(kRecords, 100);
  const std::string bytes(kRecords * 100, 'x');
  Outbox outbox("db", 7);
  outbox.append(bytes, sizes);
  EpochCommit commit;
  outbox.add_to(commit);
  std::uint64_t records = 0, sequence = 7, length = 0;
  for (const LogAppend& append : commit.appends) {
    EXPECT_EQ(append.log, "db");
    EXPECT_EQ(append.sequence, ++sequence);
    EXPECT_LE(append.bytes.size(), Outbox::kEntryBytes);
    EXPECT_EQ(append.bytes.size(), append.records * 100);
    records += append.records;
    length += append.bytes.size();
  }
  EXPECT_EQ(records, kRecords);
  EXPECT_EQ(length, bytes.size());
  ASSERT_EQ(commit.meta.size(), 1u);
  EXPECT_EQ(commit.meta.front().first, "outbox/db");
  EXPECT_EQ(commit.meta.front().second, std::to_string(sequence));
}

TEST(OutboxTest, SmallSlicesShareAnEntryAndALargeRecordHasItsOwn) {
  Outbox outbox("db", 0);
  outbox.append("abc", {1, 2});
  outbox.append("d", {1});
  const std::string large(2 * Outbox::kEntryBytes, 'y');
  outbox.append(large, {static_cast<std::uint32_t>(large.size())});
  EpochCommit commit;
  outbox.add_to(commit);
  ASSERT_EQ(commit.appends.size(), 2u);
  EXPECT_EQ(commit.appends[0].bytes, "abcd");
  EXPECT_EQ(commit.appends[0].records, 3u);
  EXPECT_EQ(commit.appends[1].records, 1u);
}

TEST(OutboxTest, EntriesAreForgottenOnceTheyAreDelivered) {
  Outbox outbox("db", 0);
  outbox.append("a", {1});
  EpochCommit first, second, third;
  outbox.add_to(first);
  EXPECT_EQ(outbox.committed_end(), 0u);
  outbox.committed();
  EXPECT_EQ(outbox.committed_end(), 1u);
  EXPECT_TRUE(first.trims.empty());
  outbox.delivered(1, 0);
  outbox.add_to(second);
  ASSERT_EQ(second.trims.size(), 1u);
  EXPECT_EQ(second.trims.front().second, 1u);
  outbox.add_to(third);
  EXPECT_TRUE(third.trims.empty());
}

TEST(OutboxTest, WhatEntriesLookLikeIsCommittedOnce) {
  Outbox same("db", 3, "(a)", "(a)"), other("db", 3, "(a, b)", "(a)");
  EXPECT_TRUE(same.fits());
  EXPECT_FALSE(other.fits());
  EpochCommit first, second;
  other.add_to(first);
  ASSERT_EQ(first.meta.size(), 1u);
  EXPECT_EQ(first.meta.front().first, "outbox_entries/db");
  EXPECT_EQ(first.meta.front().second, "(a, b)");
  other.add_to(second);
  EXPECT_TRUE(second.meta.empty());
}

TEST(OutboxTest, WhatASinkWithoutAPositionHasAppliedIsCommittedOnceItIsApplied) {
  Outbox outbox("push", 3);
  outbox.save_delivered(2);
  outbox.delivered(2, 0);
  EXPECT_FALSE(outbox.has_unsaved());
  outbox.append("a", {1});
  EpochCommit first, second, third;
  outbox.add_to(first);
  outbox.committed();
  const auto saved = [](const EpochCommit& commit) {
    for (const auto& [key, value] : commit.meta) {
      if (key == "outbox_delivered/push") return value;
    }
    return std::string();
  };
  EXPECT_EQ(saved(first), "") << "nothing was applied since the start";
  outbox.delivered(3, 0);
  EXPECT_TRUE(outbox.has_unsaved());
  outbox.append("b", {1});
  outbox.add_to(second);
  EXPECT_EQ(saved(second), "3") << "not the entries that commit with it";
  EXPECT_FALSE(outbox.has_unsaved());
  outbox.add_to(third);
  EXPECT_EQ(saved(third), "");
  Outbox store("db", 0);
  store.delivered(1, 0);
  EXPECT_FALSE(store.has_unsaved()) << "the store keeps its position";
}

}  // namespace
}  // namespace huiliu::runtime
