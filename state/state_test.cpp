#include <filesystem>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/record/key.h"
#include "state/epoch_store.h"

namespace huiliu::state {
namespace {

using Model = std::map<std::pair<std::uint16_t, std::string>, std::string>;

std::uint64_t hash_of(std::string_view key) { return runtime::KeyBuilder::hash_bytes(key); }

/// Ends the test with what is wrong, since it cannot go on without.
template <class T>
T must(runtime::Result<T> result) {
  if (!result.is_ok()) throw std::runtime_error(std::string(result.status().message()));
  return std::move(result.value());
}

class StateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("huiliu-state-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<EpochStore> open(std::uint64_t memory = 64u << 20, bool inline_flush = true) {
    StoreOptions options;
    options.memory_bytes = memory;
    options.synchronous_flush = inline_flush;
    options.identity = "test";
    return must(EpochStore::open(folder_.string(), options));
  }
  std::filesystem::path folder_;
};

Model read_all(const std::vector<Table*>& tables) {
  Model model;
  for (Table* table : tables) {
    table->for_each([&](std::uint16_t shard, std::string_view key, std::string_view value) {
      model[{shard, std::string(key)}] = value;
    });
  }
  return model;
}

TEST_F(StateTest, KeepsWhatWasCommittedAndNothingElse) {
  {
    auto store = open();
    Table* table = must(store->table("t", {0}));
    table->put(0, "a", hash_of("a"), "1");
    EXPECT_TRUE(table->insert(0, "b", hash_of("b"), "2"));
    EXPECT_FALSE(table->insert(0, "b", hash_of("b"), "3"));
    const Changes changes = table->freeze_epoch(1);
    ASSERT_TRUE(store->commit({1, {&changes}, {{"where", "7"}}, {}, {}}).is_ok());
    table->put(0, "a", hash_of("a"), "a much longer value than before");
    table->erase(0, "b", hash_of("b"));
    EXPECT_FALSE(table->get(0, "b", hash_of("b")));
  }
  auto store = open();
  Table* table = must(store->table("t", {0}));
  EXPECT_EQ(store->last_epoch(), 1u);
  EXPECT_EQ(store->meta("where").front().second, "7");
  EXPECT_EQ(table->get(0, "a", hash_of("a")).value(), "1");
  EXPECT_EQ(table->get(0, "b", hash_of("b")).value(), "2");
}

TEST_F(StateTest, RefusesStateOfAnotherTopology) {
  ASSERT_TRUE(open()->commit({1, {}, {{"where", "7"}}, {}, {}}).is_ok());
  StoreOptions options;
  options.identity = "other";
  auto store = EpochStore::open(folder_.string(), options);
  ASSERT_FALSE(store.is_ok());
  EXPECT_NE(store.status().message().find("belongs to 'test', not to 'other'"), std::string::npos);
}

TEST_F(StateTest, AFolderThatNothingWasCommittedInIsAnybodys) {
  { open(); }
  StoreOptions options;
  options.identity = "other";
  ASSERT_TRUE(
      EpochStore::open(folder_.string(), options).value()->commit({1, {}, {}, {}, {}}).is_ok());
  options.identity = "test";
  EXPECT_FALSE(EpochStore::open(folder_.string(), options).is_ok());
}

TEST_F(StateTest, KeepsLogsUntilTheyAreTrimmed) {
  auto store = open();
  const LogEntry first{1, "one", 1}, second{2, "two", 5};
  ASSERT_TRUE(store->commit({1, {}, {}, {{"log", &first}, {"log", &second}}, {}}).is_ok());
  EXPECT_EQ(store->read_log("log", 0, 1 << 20).value().size(), 2u);
  ASSERT_TRUE(store->commit({2, {}, {}, {}, {{"log", 1}}}).is_ok());
  const auto rest = store->read_log("log", 0, 1 << 20).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].bytes, "two");
  EXPECT_EQ(rest[0].records, 5u);
}

TEST_F(StateTest, UnloggedRowsAreThereOnceTheyAreWritten) {
  const auto fill = [](Table& table, int keys) {
    for (int i = 0; i < keys; ++i) {
      const std::string key = "key " + std::to_string(i);
      table.put(0, key, hash_of(key), "value of " + key);
    }
  };
  constexpr int kKeys = 2000;
  {
    auto store = open(64u << 20, false);
    Table* table = must(store->table("t", {0}));
    EXPECT_FALSE(table->freeze_unlogged(1, true)) << "nothing to write";
    fill(*table, kKeys);
    EXPECT_FALSE(table->freeze_unlogged(1, false)) << "little in memory";
    ASSERT_TRUE(table->freeze_unlogged(1, true));
    table->put(0, "late", hash_of("late"), "x");
    EXPECT_FALSE(table->freeze_unlogged(1, true)) << "the rows before are not written";
    ASSERT_TRUE(store->commit({1, {}, {}, {}, {}}).is_ok());
    store->wait_for_flushes();
    const Changes rest = table->freeze_epoch(2);
    ASSERT_EQ(rest.blobs.size(), 1u) << "written rows are no changes";
    EXPECT_LT(rest.blobs[0].second.size(), 20u);
    ASSERT_TRUE(store->commit({2, {&rest}, {}, {}, {}}).is_ok());
    EXPECT_FALSE(table->insert(0, "key 7", hash_of("key 7"), "again"));
  }
  auto store = open();
  EXPECT_EQ(read_all({must(store->table("t", {0}))}).size(), kKeys + 1u);
}

// As a crash leaves it that comes between the linking of a written file into the table and the
// removal of its first name.
TEST_F(StateTest, AFileThatIsATablesAlreadyIsNotWrittenAgain) {
  constexpr std::uint64_t kTiny = 1000;  // every epoch is written out
  const auto put_and_commit = [](EpochStore& store, Table& table, const std::string& key) {
    table.put(0, key, hash_of(key), "value of " + key);
    const std::uint64_t epoch = store.last_epoch() + 1;
    const Changes changes = table.freeze_epoch(epoch);
    ASSERT_TRUE(store.commit({epoch, {&changes}, {}, {}, {}}).is_ok());
  };
  {
    auto store = open(kTiny);
    put_and_commit(*store, *must(store->table("t", {0})), "old");
    ASSERT_EQ(store->flushes(), 1u);
  }
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    if (file.path().extension() != ".sst") continue;
    std::filesystem::create_hard_link(file.path(), folder_ / "flush-0.sst");
    break;
  }
  {
    auto store = open(kTiny);
    put_and_commit(*store, *must(store->table("t", {0})), "new");
  }
  auto store = open(kTiny);
  Table* table = must(store->table("t", {0}));
  EXPECT_EQ(table->get(0, "old", hash_of("old")).value_or("lost"), "value of old");
  EXPECT_EQ(table->get(0, "new", hash_of("new")).value_or("lost"), "value of new");
}

// One random life of a store against a map: any owner count, tiny memory, crashes between epochs.
void live(const std::filesystem::path& folder, std::uint64_t seed, bool inline_flush) {
  std::mt19937_64 random(seed);
  constexpr std::uint16_t kShards = 4;
  Model committed, current;
  std::uint64_t epoch = 0;
  for (int life = 0; life < 6; ++life) {
    StoreOptions options;
    // Far too small, so that every epoch is written out; or so large that recovery needs
    // changelogs.
    options.memory_bytes = random() % 4 != 0 ? 30'000 : 64u << 20;
    options.synchronous_flush = inline_flush;
    auto store = must(EpochStore::open(folder.string(), options));
    ASSERT_EQ(store->last_epoch(), epoch);
    const unsigned owners = 1 + static_cast<unsigned>(random() % 3);
    std::vector<Table*> tables;
    for (unsigned owner = 0; owner < owners; ++owner) {
      std::vector<std::uint16_t> shards;
      for (std::uint16_t shard = 0; shard < kShards; ++shard) {
        if (shard % owners == owner) shards.push_back(shard);
      }
      tables.push_back(must(store->table("t", shards)));
    }
    current = committed;
    ASSERT_EQ(read_all(tables), committed) << "seed " << seed << " life " << life;
    for (int step = 0; step < 12; ++step) {
      for (int i = 0; i < 60; ++i) {
        const auto shard = static_cast<std::uint16_t>(random() % kShards);
        const std::string key = "key" + std::to_string(random() % 400);
        const std::uint64_t hash = hash_of(key);
        const std::string value(random() % 40, static_cast<char>('a' + random() % 26));
        Table& table = *tables[shard % owners];
        const auto place = current.find({shard, key});
        const auto found = table.get(shard, key, hash);
        ASSERT_EQ(found.has_value(), place != current.end()) << "seed " << seed << " " << key;
        if (found) {
          ASSERT_EQ(*found, place->second);
        }
        switch (random() % 4) {
          case 0:
            table.erase(shard, key, hash);
            current.erase({shard, key});
            break;
          case 1:
            ASSERT_EQ(table.insert(shard, key, hash, value), place == current.end());
            current.insert({{shard, key}, value});
            break;
          default:
            table.put(shard, key, hash, value);
            current[{shard, key}] = value;
        }
      }
      const bool crash = life < 5 && step == 11;
      if (crash) store->wait_for_flushes();
      std::vector<Changes> changes;
      for (Table* table : tables) changes.push_back(table->freeze_epoch(epoch + 1));
      Commit commit;
      commit.epoch = epoch + 1;
      for (const Changes& change : changes) commit.changes.push_back(&change);
      if (crash) {  // frozen, never committed: the flusher has time in which it must do nothing
        if (!inline_flush) std::this_thread::sleep_for(std::chrono::milliseconds(60));
        break;
      }
      ASSERT_TRUE(store->commit(commit).is_ok());
      ++epoch;
      committed = current;
      if (random() % 3 == 0) store->wait_for_flushes();
    }
  }
}

TEST_F(StateTest, EqualsAModelOverRandomLives) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    std::filesystem::remove_all(folder_);
    live(folder_, seed, true);
    if (HasFatalFailure()) return;
  }
}

TEST_F(StateTest, EqualsAModelWithBackgroundFlushes) {
  for (std::uint64_t seed = 100; seed <= 115; ++seed) {
    std::filesystem::remove_all(folder_);
    live(folder_, seed, false);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace huiliu::state
