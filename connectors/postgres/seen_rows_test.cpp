#include "connectors/postgres/seen_rows.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace huiliu::connectors::postgres {
namespace {

/// What a state holds of it.
using Saved = std::map<std::string, std::string>;

void save(SeenRows& rows, Saved& saved) {
  std::vector<runtime::PositionChange> changes;
  rows.take_changes(changes);
  for (const auto& [key, value] : changes) {
    if (value.empty()) {
      saved.erase(key);
    } else {
      saved[key] = value;
    }
  }
}

SeenRows loaded(const Saved& saved, bool exact) {
  SeenRows rows(exact);
  for (const auto& [key, value] : saved) EXPECT_TRUE(rows.load(key, value));
  return rows;
}

TEST(SeenRowsTest, KnowsAVersionUntilAnotherOneCame) {
  SeenRows rows(true);
  EXPECT_FALSE(rows.knows("a", 1));
  rows.add("a", 1);
  EXPECT_TRUE(rows.knows("a", 1));
  EXPECT_FALSE(rows.knows("a", 2));
  rows.add("a", 2);
  EXPECT_FALSE(rows.knows("a", 1));
}

TEST(SeenRowsTest, DamageIsSaid) {
  SeenRows rows(true);
  EXPECT_FALSE(rows.load("seen/1", "abc"));
  EXPECT_FALSE(rows.load("seen/x", ""));
}

// Passes over a table that changes, with restarts: what it gives is what has changed.
TEST(SeenRowsTest, EqualsAModelOverRandomPassesAndRestarts) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    std::map<std::string, std::uint64_t> table, given;
    Saved saved;
    SeenRows rows(true);
    std::uint64_t version = 0;
    for (int pass = 0; pass < 30; ++pass) {
      for (auto i = random() % 3000; i > 0; --i) {
        const std::string key = std::to_string(random() % 4000);
        random() % 3 == 0 ? void(table.erase(key)) : void(table[key] = ++version);
      }
      if (random() % 3 == 0) rows = loaded(saved, true);
      rows.begin_pass();
      std::size_t in_page = 0;
      for (const auto& [key, hash] : table) {
        const bool known = rows.knows(key, hash);
        EXPECT_EQ(known, given.contains(key) && given[key] == hash);
        if (!known) rows.add(key, hash);
        given[key] = hash;
        if (++in_page % 500 == 0) save(rows, saved);
      }
      save(rows, saved);
      EXPECT_EQ(rows.unmet(), given.size() - table.size());
      for (;;) {
        const std::vector<std::string> gone = rows.drop_unmet(100);
        save(rows, saved);
        for (const std::string& key : gone) EXPECT_EQ(given.erase(key), 1u);
        if (gone.empty()) break;
      }
      EXPECT_EQ(given, table);
      EXPECT_EQ(rows.size(), table.size());
    }
    std::size_t bytes = 0;
    for (const auto& [key, value] : saved) bytes += value.size();
    EXPECT_LT(bytes, (table.size() + 1) * 64) << "chunks that nobody needs stay";
  }
}

}  // namespace
}  // namespace huiliu::connectors::postgres
