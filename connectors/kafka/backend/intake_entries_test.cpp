#include "connectors/kafka/backend/intake_entries.h"

#include <gtest/gtest.h>

namespace huiliu::connectors::kafka {
namespace {

using runtime::IntakeEntry;

IntakeEntry entry(std::uint64_t number, const std::string& key, std::int64_t arrived_ms = 0) {
  IntakeEntry made;
  made.number = number;
  made.key = key;
  made.body = "0123456789";
  made.arrived_ms = arrived_ms;
  return made;
}

TEST(IntakeValueTest, ComesBackAsItWas) {
  IntakeEntry one = entry(8, "key", 77);
  one.about = "ndjson market";
  one.records = 3;
  const auto back = intake_entry(7, "key", intake_value(one));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->number, 8u);
  EXPECT_EQ(back->key, "key");
  EXPECT_EQ(back->about, one.about);
  EXPECT_EQ(back->records, 3u);
  EXPECT_EQ(back->arrived_ms, 77);
  EXPECT_EQ(back->body, one.body);
  EXPECT_FALSE(intake_entry(7, "key", "{}"));
  EXPECT_FALSE(intake_entry(7, "key", intake_value(one).substr(0, 25)));
}

TEST(IntakeEntriesTest, TheFirstOfAKeyCountsAndOthersAreLeftOut) {
  IntakeEntries entries;
  entries.add(entry(1, "a"), 5);
  entries.add(entry(2, ""), 6);
  entries.add(entry(3, "a"), 5);
  EXPECT_EQ(entries.find("a")->number, 1u);
  EXPECT_TRUE(entries.repeats(entry(3, "a")));
  EXPECT_FALSE(entries.repeats(entry(1, "a")));
  EXPECT_FALSE(entries.repeats(entry(2, "")));
  EXPECT_EQ(entries.last(), 2u) << "nobody waits for what is left out";
  EXPECT_EQ(entries.end(), 3u);
  entries.add(entry(4, "a"), 9);
  EXPECT_EQ(entries.repeated(), 1u);
  EXPECT_EQ(entries.conflicting(), 1u);
}

TEST(IntakeEntriesTest, CountsWhatIsNotCommitted) {
  IntakeEntries entries;
  entries.begins_behind(10);
  EXPECT_EQ(entries.last(), 10u);
  entries.consume(10);
  for (std::uint64_t number = 11; number <= 14; ++number) entries.add(entry(number, ""), 0);
  EXPECT_EQ(entries.waiting_bytes(), 40u);
  entries.consume(12);
  EXPECT_EQ(entries.waiting_bytes(), 20u);
  EXPECT_EQ(entries.waiting(), 2u);
  entries.consume(20);
  entries.add(entry(15, ""), 0);
  EXPECT_EQ(entries.waiting_bytes(), 0u) << "what was committed before is read again after a start";
}

TEST(IntakeEntriesTest, IsTrimmedOnceNothingWaitsAndKeysAreOld) {
  IntakeEntries entries;
  entries.add(entry(1, "a", 100), 5);
  entries.add(entry(2, "b", 200), 5);
  entries.add(entry(3, "c", 300), 5);
  entries.consume(2);
  EXPECT_EQ(entries.trimmable(1000), 0u) << "a repetition may still wait";
  entries.consume(3);
  EXPECT_EQ(entries.trimmable(250), 2u);
  entries.trim(2);
  EXPECT_EQ(entries.find("a"), nullptr);
  EXPECT_NE(entries.find("c"), nullptr);
  EXPECT_EQ(entries.waiting_bytes(), 0u);
  entries.add(entry(4, "a", 400), 5);
  EXPECT_FALSE(entries.repeats(entry(4, "a")));
  EXPECT_EQ(entries.waiting_bytes(), 10u);
}

}  // namespace
}  // namespace huiliu::connectors::kafka
